"""Changing what is recorded of a document."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Permission
from domain.errors import InsufficientPermissions, Invalid, NotFound, PreconditionFailed
from domain.use_cases.change_document import PatchDocument
from ports.queries import DocumentWithLinks, Usage
from tests.domain.anything import TEXTS, objects_around
from tests.domain.samples import DOCUMENT, MALFORMED_IDS
from tests.domain.world import NEVER_ASKED, World

BLIND = PatchDocument(documents=NEVER_ASKED, now=NEVER_ASKED)


@pytest.mark.parametrize(
    ("member", "sent", "kept"),
    [
        ("name", "b.pdf", "b.pdf"),
        ("name", "e\u0301", "\xe9"),
        ("description", "Zeile 1\nZeile 2", "Zeile 1\nZeile 2"),
        ("description", "", ""),
        ("description", None, None),
        ("folder", "/b/c/", "/b/c"),
        ("folder", "/", None),
        ("folder", None, None),
        ("tags", [" x ", "y", "x"], ("x", "y")),
        ("tags", [], ()),
        ("tags", None, ()),
    ],
)
async def test_only_what_is_sent_changes(world: World, member: str, sent: object, kept: object) -> None:
    caller = await world.caller()
    document = await world.record(caller, description="d", folder="/a", tags=["t"])
    world.clock.advance(seconds=1)
    changed = (await world.patch_document(caller, document.id, {member: sent})).document
    assert getattr(changed, member) == kept
    assert (changed.revision, changed.updated_at) == (2, world.clock())
    assert (
        replace(changed, revision=1, updated_at=document.updated_at, **{member: getattr(document, member)}) == document
    )
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(changed, ())


async def test_many_members_at_once_are_one_change(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    sent = {"name": "b.pdf", "description": "d", "folder": "/a", "tags": ["t"]}
    changed = (await world.patch_document(caller, document.id, sent)).document
    assert (changed.name, changed.description, changed.folder, changed.tags) == ("b.pdf", "d", "/a", ("t",))
    assert changed.revision == 2


@pytest.mark.parametrize(
    "sent",
    [{}, {"name": "e\u0301"}, {"description": "d"}, {"folder": "/a/"}, {"tags": ["t", " t "]}],
    ids=repr,
)
async def test_what_changes_nothing_leaves_revision_and_time_as_they_are(world: World, sent: dict[str, object]) -> None:
    caller = await world.caller()
    document = await world.record(caller, name="\xe9", description="d", folder="/a", tags=["t"])
    world.clock.advance(days=1)
    assert (await world.patch_document(caller, document.id, sent)).document == document


async def test_the_time_of_a_change_never_goes_back(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    world.clock.advance(hours=-1)
    changed = (await world.patch_document(caller, document.id, {"name": "b.pdf"})).document
    assert (changed.revision, changed.updated_at) == (2, document.updated_at)


async def test_its_links_are_answered_and_stay(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    links = tuple([await world.link(caller, document, entity_id=id_) for id_ in ("one", "two")])
    assert (await world.patch_document(caller, document.id, {"name": "b.pdf"})).links == links


async def test_the_bytes_and_the_quota_stay_as_they_are(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, b"12345")
    await world.patch_document(caller, document.id, {"name": "b.txt", "folder": "/a"})
    assert await world.storage.stat(document.storage_path) == document.stored
    assert await world.documents.usage(caller.workspace_id) == Usage(5, 1000, 1)


async def test_a_folder_comes_into_being_with_those_above_it_and_the_old_one_stays(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, folder="/old")
    await world.patch_document(caller, document.id, {"folder": "/a/b/c"})
    assert await world.folders(caller) == {"/a": 1, "/old": 0}
    assert await world.folders(caller, parent="/a/b") == {"/a/b/c": 1}


@pytest.mark.parametrize("expected_revisions", [None, frozenset({2}), frozenset({1, 2})], ids=repr)
async def test_a_change_of_the_state_that_was_seen_is_made(
    world: World, expected_revisions: frozenset[int] | None
) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    await world.patch_document(caller, document.id, {"name": "b.pdf"})
    changed = (await world.patch_document(caller, document.id, {"name": "c.pdf"}, expected_revisions)).document
    assert (changed.name, changed.revision) == ("c.pdf", 3)


@pytest.mark.parametrize("expected_revisions", [frozenset[int](), frozenset({1}), frozenset({0, 1, 3})], ids=repr)
@pytest.mark.parametrize("sent", [{}, {"name": "c.pdf"}, {"folder": "/new"}], ids=repr)
async def test_of_another_state_nothing_is_changed(
    world: World, expected_revisions: frozenset[int], sent: dict[str, object]
) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    before = await world.patch_document(caller, document.id, {"name": "b.pdf"})
    with pytest.raises(PreconditionFailed):
        await world.patch_document(caller, document.id, sent, expected_revisions)
    assert await world.documents.get(caller.workspace_id, document.id) == before
    assert await world.folders(caller) == {}


async def test_of_two_who_saw_the_same_state_the_second_is_told(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    seen = frozenset({document.revision})
    await world.patch_document(caller, document.id, {"tags": ["first"]}, seen)
    with pytest.raises(PreconditionFailed):
        await world.patch_document(caller, document.id, {"tags": ["second"]}, seen)
    # Who does not say what they saw has the last word.
    await world.patch_document(caller, document.id, {"tags": ["third"]})
    found = await world.documents.get(caller.workspace_id, document.id)
    assert found is not None
    assert found.document.tags == ("third",)


WRONG: dict[str, tuple[object, ...]] = {
    "name": (None, "", " ", "x" * 256, 5, "a\nb", []),
    "description": (5, "x" * 4097, "\0", {}),
    "folder": ("", "a", "/a/../b", "/a" * 21, 5, []),
    "tags": ("t", [5], [""], ["x" * 65], [str(number) for number in range(51)], {}),
    "storage_path": (DOCUMENT["storage_path"], None),
    "mime_type": ("text/plain",),
    "size_bytes": (5,),
    "revision": (1,),
    "document_id": (None,),
}


@pytest.mark.parametrize(("member", "value"), [(member, value) for member, values in WRONG.items() for value in values])
async def test_a_wrong_member_is_named_and_costs_no_call(world: World, member: str, value: object) -> None:
    caller = await world.caller()
    with pytest.raises(Invalid) as refused:
        await BLIND(caller, "doc_" + world.new_id(world.clock()), {"tags": [], member: value})
    assert set(refused.value.fields) == {member}


async def test_one_wrong_member_keeps_the_others_from_being_changed(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    with pytest.raises(Invalid):
        await world.patch_document(caller, document.id, {"name": "b.pdf", "tags": [5]})
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(document, ())


@pytest.mark.parametrize("id_as_sent", MALFORMED_IDS.values(), ids=MALFORMED_IDS)
async def test_a_malformed_id_is_not_found_and_asks_nobody(world: World, id_as_sent: str) -> None:
    with pytest.raises(NotFound):
        await BLIND(await world.caller(), id_as_sent, {"name": "b.pdf"})


@pytest.mark.parametrize("expected_revisions", [None, frozenset({1}), frozenset({2})], ids=repr)
async def test_a_foreign_an_absent_and_a_deleted_document_are_not_told_apart(
    world: World, expected_revisions: frozenset[int] | None
) -> None:
    caller = await world.caller()
    theirs, deleted = await world.record(await world.caller()), await world.record(caller)
    await world.delete_document(caller, deleted.id, None)
    for id_ in (theirs.id, deleted.id, "doc_" + world.new_id(world.clock())):
        with pytest.raises(NotFound):
            await world.patch_document(caller, id_, {"name": "mine.pdf", "folder": "/mine"}, expected_revisions)
    assert await world.documents.get(theirs.workspace_id, theirs.id) == DocumentWithLinks(theirs, ())
    assert await world.folders(caller) == {}


@given(
    TEXTS, objects_around(DOCUMENT), st.sets(st.sampled_from(sorted(set(Permission) - {Permission.WRITE_DOCUMENTS})))
)
async def test_the_permission_is_checked_before_anything_else(
    id_as_sent: str, sent: dict[str, object], granted: set[Permission]
) -> None:
    caller = replace(await World().caller(), permissions=frozenset(granted))
    with pytest.raises(InsufficientPermissions, match="write:documents"):
        await BLIND(caller, id_as_sent, sent, frozenset({1}))


async def test_changing_needs_no_other_permission(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    writer = replace(caller, permissions=frozenset({Permission.WRITE_DOCUMENTS}))
    assert (await world.patch_document(writer, document.id, {"name": "b.pdf"})).document.name == "b.pdf"
