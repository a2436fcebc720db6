"""Finding the documents that belong to something."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller, Permission
from domain.entity_links import EntityType
from domain.errors import InsufficientPermissions, Invalid
from domain.pages import Page
from domain.use_cases.find_documents import FindLinkedDocuments
from ports.queries import LinkedDocument
from tests.domain.anything import TEXTS
from tests.domain.world import NEVER_ASKED, World

BLIND = FindLinkedDocuments(documents=NEVER_ASKED)


async def names(world: World, caller: Caller, **query: object) -> list[str]:
    """Those linked to the contact of the tests."""
    rows, _ = await world.find_linked_documents(caller, EntityType.CONTACT, "c-1", query)
    return [row.document.name for row in rows.rows]


async def test_each_is_found_with_its_link_the_last_linked_first(world: World) -> None:
    caller = await world.caller()
    documents = [await world.record(caller) for _ in range(3)]
    expected = []
    for document in (documents[1], documents[2], documents[0]):
        world.clock.advance(seconds=1)
        expected.append(LinkedDocument(document, await world.link(caller, document)))
    rows, page = await world.find_linked_documents(caller, EntityType.CONTACT, "c-1", {})
    assert rows.rows == tuple(reversed(expected))
    assert (rows.total, page) == (3, Page())


async def test_a_document_is_shown_as_it_is_now(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    await world.link(caller, document)
    await world.patch_document(caller, document.id, {"name": "new"})
    assert await names(world, caller) == ["new"]


async def test_what_belongs_to_something_else_is_not_found(world: World) -> None:
    caller, stranger = await world.caller(), await world.caller()
    document = await world.record(caller, name="mine")
    await world.link(caller, document, entity_id="c-2")
    await world.link(caller, document, entity_id="C-1")
    await world.link(caller, document, entity_type="company")
    await world.link(stranger, await world.record(stranger, name="theirs"))
    assert await names(world, caller) == []
    await world.link(caller, document)
    assert await names(world, caller) == ["mine"]
    assert await names(world, stranger) == ["theirs"]


async def test_a_role_is_that_of_the_link_exactly(world: World) -> None:
    caller = await world.caller()
    for role in ("buyer", "Buyer", "buyer 2", None, "\xe9"):
        await world.link(caller, await world.record(caller, name=f"as {role}"), role=role)
    assert await names(world, caller, role="buyer") == ["as buyer"]
    assert await names(world, caller, role="e\u0301") == ["as \xe9"]
    assert await names(world, caller, role="buy") == []
    assert len(await names(world, caller)) == 5


async def test_who_is_unlinked_or_deleted_is_not_found_any_more(world: World) -> None:
    caller = await world.caller()
    unlinked, deleted, kept = [await world.record(caller, name=name) for name in ("unlinked", "deleted", "kept")]
    link = await world.link(caller, unlinked)
    for document in (deleted, kept):
        await world.link(caller, document)
    await world.unlink_document(caller, unlinked.id, link.id, None)
    await world.delete_document(caller, deleted.id, None)
    assert await names(world, caller) == ["kept"]


async def test_they_come_in_pages_with_their_number(world: World) -> None:
    caller = await world.caller()
    for number in range(5):
        await world.link(caller, await world.record(caller, name=str(number)))
    for page_number, expected in (("1", ["4", "3"]), ("2", ["2", "1"]), ("3", ["0"]), ("4", [])):
        query = {"page": page_number, "per_page": "2"}
        rows, page = await world.find_linked_documents(caller, EntityType.CONTACT, "c-1", query)
        assert [row.document.name for row in rows.rows] == expected
        assert (rows.total, page) == (5, Page(int(page_number), 2))


@pytest.mark.parametrize("entity_id", ["", "x" * 65, ".", "..", "a/b", "a\nb", "\x7f", "\ud800"], ids=ascii)
async def test_an_id_that_nothing_can_have_is_wrong_and_costs_no_call(world: World, entity_id: str) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), EntityType.DEAL, entity_id, {})
    assert set(refused.value.fields) == {"entity_id"}


WRONG = {"role": "", "page": "0", "per_page": "101", "search": "x", "cursor": "0" * 26, "entity_type": "deal"}


@given(st.sets(st.sampled_from(sorted(WRONG)), min_size=1))
async def test_every_wrong_parameter_is_named_at_once(wrong: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(await World().caller(), EntityType.DEAL, "..", {name: WRONG[name] for name in wrong})
    assert set(refused.value.fields) == {"entity_id", *wrong}


@given(
    TEXTS,
    st.dictionaries(st.sampled_from(sorted(WRONG)), TEXTS, max_size=4),
    st.sets(st.sampled_from(sorted(set(Permission) - {Permission.READ_DOCUMENTS}))),
)
async def test_the_permission_is_checked_before_anything_else(
    entity_id: str, query: dict[str, object], granted: set[Permission]
) -> None:
    caller = replace(await World().caller(), permissions=frozenset(granted))
    with pytest.raises(InsufficientPermissions, match="read:documents"):
        await BLIND(caller, EntityType.DEAL, entity_id, query)


async def test_finding_needs_no_other_permission(world: World) -> None:
    caller = await world.caller()
    await world.link(caller, await world.record(caller, name="n"))
    assert await names(world, replace(caller, permissions=frozenset({Permission.READ_DOCUMENTS}))) == ["n"]
