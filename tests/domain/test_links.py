"""Linking documents to what a client keeps elsewhere."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Permission
from domain.entity_links import EntityLink, EntityType
from domain.errors import IdempotencyMismatch, InsufficientPermissions, Invalid, NotFound
from domain.ids import EntityLinkId, parse_entity_link_id
from domain.members import Members
from domain.use_cases.link_document import LinkDocument, UnlinkDocument
from ports.outcomes import LinkAdded
from ports.queries import DocumentWithLinks
from tests.domain.anything import TEXTS, objects_around
from tests.domain.samples import LINK, MALFORMED_IDS
from tests.domain.world import NEVER_ASKED, World

KEY, OTHER_KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7", "00000000-0000-0000-0000-000000000000"
BLIND = LinkDocument(documents=NEVER_ASKED, now=NEVER_ASKED, new_id=NEVER_ASKED)
BLIND_TO_UNLINK = UnlinkDocument(documents=NEVER_ASKED, now=NEVER_ASKED)


async def test_a_link_is_made_as_it_was_sent(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    linked = await world.link_document(caller, document.id, LINK, None)
    assert parse_entity_link_id(linked.link.id)
    assert linked == LinkAdded(
        EntityLink(
            id=linked.link.id,
            document_id=document.id,
            entity_type=EntityType.CONTACT,
            entity_id="c-1",
            role="signatory",
            created_at=world.clock(),
        ),
        is_new=True,
    )


@pytest.mark.parametrize("absent", [{}, {"role": None}], ids=["absent", "null"])
async def test_a_role_may_be_left_out(world: World, absent: Members) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    sent = {"entity_type": "matter", "entity_id": "1", **absent}
    assert (await world.link_document(caller, document.id, sent, None)).link.role is None


@pytest.mark.parametrize("entity_type", ["contact", "company", "deal", "event", "matter", "task"])
async def test_each_kind_of_thing_is_one_of_its_own(world: World, entity_type: str) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    link = await world.link(caller, document, entity_type=entity_type)
    assert link.entity_type == entity_type
    others = {kind: await world.find_linked_documents(caller, kind, "c-1", {}) for kind in EntityType}
    assert {kind: rows.total for kind, (rows, _) in others.items() if rows.total} == {entity_type: 1}


async def test_the_links_of_a_document_are_read_with_it_oldest_first_and_change_nothing_else(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    world.clock.advance(days=1)
    links = tuple([await world.link(caller, document, entity_id=id_) for id_ in ("c", "a", "b")])
    found = await world.get_document(caller, document.id, download=False)
    assert found.record == DocumentWithLinks(document, links)
    await world.unlink_document(caller, document.id, links[1].id, None)
    found = await world.get_document(caller, document.id, download=False)
    assert found.record == DocumentWithLinks(document, (links[0], links[2]))


@pytest.mark.parametrize("role", ["signatory", "witness", None], ids=repr)
async def test_what_is_linked_already_is_answered_as_it_was_made(world: World, role: str | None) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    first = await world.link_document(caller, document.id, LINK, None)
    world.clock.advance(seconds=1)
    again = await world.link_document(caller, document.id, {**LINK, "role": role}, None)
    assert again == LinkAdded(first.link, is_new=False)
    found = await world.documents.get(caller.workspace_id, document.id)
    assert found == DocumentWithLinks(document, (first.link,))


@pytest.mark.parametrize(
    ("one", "other"),
    [("c-1", "C-1"), ("c-1", " c-1"), ("e\u0301", "\xe9"), ("1", "01"), ("ss", "\xdf"), ("a", "%61")],
    ids=ascii,
)
async def test_ids_of_others_are_opaque_and_kept_as_they_are(world: World, one: str, other: str) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    links = [await world.link(caller, document, entity_id=id_) for id_ in (one, other)]
    assert [link.entity_id for link in links] == [one, other]
    for link in links:
        rows, _ = await world.find_linked_documents(caller, EntityType.CONTACT, link.entity_id, {})
        assert [row.link for row in rows.rows] == [link]


WRONG: dict[str, tuple[object, ...]] = {
    "entity_type": (None, "", "Contact", "invoice", 5, ["contact"], {}),
    "entity_id": (None, "", "x" * 65, ".", "..", "a/b", "/", "a\nb", "\0", "\x7f", "\ud800", 5, ["1"]),
    "role": ("", "x" * 65, "a\nb", 5, []),
    "document_id": (None, "doc_01HY0000000000000000000000"),
    "id": (1,),
}


@pytest.mark.parametrize(("member", "value"), [(member, value) for member, values in WRONG.items() for value in values])
async def test_a_wrong_member_is_named_and_costs_no_call(world: World, member: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), "doc_" + world.new_id(world.clock()), {**LINK, member: value}, KEY)
    assert set(refused.value.fields) == {member}


async def test_every_wrong_member_is_named_at_once(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), "x", {"role": 5, "note": "n"}, None)
    assert set(refused.value.fields) == {"entity_type", "entity_id", "role", "note"}


@pytest.mark.parametrize(
    "id_", ["x" * 64, "\N{GRINNING FACE}" * 64, "...", "a b", "\\", "?#%", "'\"", "\u200b"], ids=ascii
)
async def test_whatever_fits_between_two_slashes_is_an_id(world: World, id_: str) -> None:
    caller = await world.caller()
    assert (await world.link(caller, await world.record(caller), entity_id=id_)).entity_id == id_


async def test_a_retry_gets_the_first_answer_and_makes_no_link(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    first = await world.link_document(caller, document.id, LINK, KEY)
    world.clock.advance(hours=23)
    assert await world.link_document(caller, document.id, LINK, KEY) == replace(first, replayed=True)
    await world.unlink_document(caller, document.id, first.link.id, None)
    assert await world.link_document(caller, document.id, LINK, KEY) == replace(first, replayed=True)
    await world.delete_document(caller, document.id, None)
    assert await world.link_document(caller, document.id, LINK, KEY) == replace(first, replayed=True)
    assert (await world.find_linked_documents(caller, EntityType.CONTACT, "c-1", {}))[0].total == 0
    world.clock.advance(hours=1)
    with pytest.raises(NotFound):
        await world.link_document(caller, document.id, LINK, KEY)


async def test_a_link_that_was_there_is_the_answer_to_its_retry_too(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    link = (await world.link_document(caller, document.id, LINK, None)).link
    assert await world.link_document(caller, document.id, LINK, KEY) == LinkAdded(link, is_new=False)
    await world.unlink_document(caller, document.id, link.id, None)
    assert await world.link_document(caller, document.id, LINK, KEY) == LinkAdded(link, is_new=False, replayed=True)


async def test_another_request_with_the_key_is_a_mismatch_and_links_nothing(world: World) -> None:
    caller = await world.caller()
    document, other = await world.record(caller), await world.record(caller)
    link = (await world.link_document(caller, document.id, LINK, KEY)).link
    for request in (
        world.link_document(caller, document.id, {**LINK, "role": None}, KEY),
        world.link_document(caller, document.id, {**LINK, "entity_id": "c-2"}, KEY),
        world.link_document(caller, other.id, LINK, KEY),
        world.unlink_document(caller, document.id, link.id, KEY),
        world.delete_document(caller, document.id, KEY),
    ):
        with pytest.raises(IdempotencyMismatch):
            await request
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(document, (link,))
    assert await world.documents.get(caller.workspace_id, other.id) == DocumentWithLinks(other, ())


async def test_a_refused_request_leaves_its_key_free(world: World) -> None:
    caller = await world.caller()
    absent, document = "doc_" + world.new_id(world.clock()), await world.record(caller)
    with pytest.raises(NotFound):
        await world.link_document(caller, absent, LINK, KEY)
    assert not (await world.link_document(caller, document.id, LINK, KEY)).replayed
    with pytest.raises(NotFound):
        await world.unlink_document(caller, document.id, "dlnk_" + world.new_id(world.clock()), OTHER_KEY)
    assert not (await world.link_document(caller, document.id, LINK, OTHER_KEY)).replayed


async def test_a_removed_link_is_gone_once_and_can_be_made_anew(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    link = await world.link(caller, document)
    assert await world.unlink_document(caller, document.id, link.id, KEY) is False
    assert await world.unlink_document(caller, document.id, link.id, KEY) is True
    with pytest.raises(NotFound):
        await world.unlink_document(caller, document.id, link.id, None)
    anew = await world.link_document(caller, document.id, {**LINK, "role": "witness"}, None)
    assert (anew.is_new, anew.link.role) == (True, "witness")
    assert anew.link.id > link.id
    # The retry of a removal removes nothing else.
    assert await world.unlink_document(caller, document.id, link.id, KEY) is True
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(document, (anew.link,))


async def test_another_removal_with_the_key_is_a_mismatch(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    one, other = [await world.link(caller, document, entity_id=id_) for id_ in ("1", "2")]
    await world.unlink_document(caller, document.id, one.id, KEY)
    with pytest.raises(IdempotencyMismatch):
        await world.unlink_document(caller, document.id, other.id, KEY)
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(document, (other,))


async def test_a_link_is_removed_only_from_its_own_document(world: World) -> None:
    caller, stranger = await world.caller(), await world.caller()
    document, other = await world.record(caller), await world.record(caller)
    link = await world.link(caller, document)
    absent = EntityLinkId("dlnk_" + world.new_id(world.clock()))
    for who, id_, link_ in (
        (caller, other.id, link.id),
        (caller, document.id, absent),
        (caller, document.id, link.id.replace("dlnk_", "doc_")),
        (stranger, document.id, link.id),
    ):
        with pytest.raises(NotFound):
            await world.unlink_document(who, id_, link_, None)
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(document, (link,))


async def test_a_foreign_and_a_deleted_document_are_not_linked(world: World) -> None:
    caller = await world.caller()
    theirs, deleted = await world.record(await world.caller()), await world.record(caller)
    link = await world.link(caller, deleted)
    await world.delete_document(caller, deleted.id, None)
    for id_ in (theirs.id, deleted.id):
        with pytest.raises(NotFound):
            await world.link_document(caller, id_, LINK, None)
    with pytest.raises(NotFound):
        await world.unlink_document(caller, deleted.id, link.id, None)
    assert await world.documents.get(theirs.workspace_id, theirs.id) == DocumentWithLinks(theirs, ())


@pytest.mark.parametrize("id_as_sent", MALFORMED_IDS.values(), ids=MALFORMED_IDS)
async def test_a_malformed_id_is_not_found_and_asks_nobody(world: World, id_as_sent: str) -> None:
    caller, ulid = await world.caller(), world.new_id(world.clock())
    with pytest.raises(NotFound):
        await BLIND(caller, id_as_sent, LINK, KEY)
    with pytest.raises(NotFound):
        await BLIND_TO_UNLINK(caller, id_as_sent, f"dlnk_{ulid}", KEY)
    with pytest.raises(NotFound):
        await BLIND_TO_UNLINK(caller, f"doc_{ulid}", id_as_sent.replace("doc_", "dlnk_"), KEY)


@given(TEXTS, objects_around(LINK), st.sets(st.sampled_from(sorted(set(Permission) - {Permission.WRITE_DOCUMENTS}))))
async def test_the_permission_is_checked_before_anything_else(
    id_as_sent: str, sent: dict[str, object], granted: set[Permission]
) -> None:
    caller = replace(await World().caller(), permissions=frozenset(granted))
    for call in (BLIND(caller, id_as_sent, sent, KEY), BLIND_TO_UNLINK(caller, id_as_sent, id_as_sent, KEY)):
        with pytest.raises(InsufficientPermissions, match="write:documents"):
            await call


async def test_linking_needs_no_other_permission(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    writer = replace(caller, permissions=frozenset({Permission.WRITE_DOCUMENTS}))
    link = await world.link(writer, document)
    assert await world.unlink_document(writer, document.id, link.id, None) is False
