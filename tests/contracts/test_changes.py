"""What a patch and a delete promise, on every adapter."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.documents import Document
from domain.ids import DocumentId
from domain.search import DocumentFilter
from ports.ledger import PathState
from ports.outcomes import Created, Deleted, NoSuchDocument, OverQuota, Patched, PathTaken, RevisionMismatch
from ports.queries import DocumentWithLinks, Usage
from ports.storage import ListedObject
from tests.contracts.records import Records

OTHERS: tuple[dict[str, Any], ...] = (
    {"name": "b.pdf"},
    {"description": "another"},
    {"description": None},
    {"description": ""},
    {"folder": "/other/below"},
    {"folder": None},
    {"tags": ("Ü", "nda")},
    {"tags": ()},
    {"name": "b.pdf", "description": None, "folder": None, "tags": ("z", "a")},
)


def unknown(records: Records) -> DocumentId:
    return DocumentId("doc_" + records.new_id(records.clock()))


@pytest.mark.parametrize("changes", OTHERS, ids=str)
async def test_only_what_is_sent_changes(records: Records, changes: dict[str, Any]) -> None:
    home = await records.workspace()
    document, beside = [await records.recorded(home, folder="/clients/acme") for _ in range(2)]
    records.clock.advance(hours=1, microseconds=7)
    changed = replace(document, **changes, revision=2, updated_at=records.clock())
    assert await records.patch(home, document.id, **changes) == Patched(DocumentWithLinks(changed, ()))
    assert await records.all(home) == (beside, changed)


@pytest.mark.parametrize("state", [{}, {"folder": None, "description": None, "tags": ()}], ids=str)
async def test_what_changes_nothing_leaves_revision_and_time(records: Records, state: dict[str, Any]) -> None:
    home = await records.workspace()
    document = await records.recorded(home, **{"folder": "/clients/acme", **state})
    records.clock.advance(hours=1)
    members = ("name", "description", "folder", "tags")
    for sent in ((), members, *((member,) for member in members)):
        same = {member: getattr(document, member) for member in sent}
        assert await records.patch(home, document.id, **same) == Patched(DocumentWithLinks(document, ()))
        assert await records.now(home, document) == document


async def test_each_change_counts_one_revision(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    for revision in range(2, 6):
        records.clock.advance(seconds=1)
        await records.patch(home, document.id, name=f"{revision}")
        wanted = replace(document, name=f"{revision}", revision=revision, updated_at=records.clock())
        assert await records.now(home, document) == wanted


async def test_the_time_of_a_change_is_never_before_the_last(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    for revision, seconds, expected in ((2, -60, 0), (3, 120, 60), (4, -30, 60)):
        records.clock.advance(seconds=seconds)
        await records.patch(home, document.id, name=f"{seconds}")
        at = document.created_at + timedelta(seconds=expected)
        wanted = replace(document, name=f"{seconds}", revision=revision, updated_at=at)
        assert await records.now(home, document) == wanted


@pytest.mark.parametrize(
    "expected_revisions", [{1}, {2}, {1, 3}, set[int](), {2**31 - 1}, {0, -1, 2**31, 2**63, 10**99}], ids=str
)
async def test_a_record_in_no_state_that_was_named_is_neither_changed_nor_deleted(
    records: Records, expected_revisions: set[int]
) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    for revision in (1, 2, 3):
        before = await records.documents.get(home.id, document.id)
        assert before is not None
        outcome = await records.patch(home, document.id, frozenset(expected_revisions), name=f"{revision + 1}")
        if revision in expected_revisions:
            assert isinstance(outcome, Patched)
            assert outcome.found.document.revision == revision + 1
        else:
            assert outcome == RevisionMismatch()
            assert (
                await records.delete(home, document.id, expected_revisions=frozenset(expected_revisions))
                == RevisionMismatch()
            )
            assert await records.documents.get(home.id, document.id) == before
            await records.patch(home, document.id, name=f"{revision + 1}")
    assert (await records.documents.usage(home.id)).documents == 1
    assert await records.delete(home, document.id, expected_revisions=frozenset({4, *expected_revisions})) == Deleted(
        document.storage_path
    )


async def test_what_changes_nothing_is_refused_too_in_another_state(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    assert await records.patch(home, document.id, frozenset({2}), name=document.name) == RevisionMismatch()
    assert await records.patch(home, document.id, frozenset({2})) == RevisionMismatch()


async def test_an_unknown_document_is_neither_changed_nor_deleted(records: Records) -> None:
    home = await records.workspace()
    await records.recorded(home)
    for expected_revisions in (None, frozenset({1})):
        assert await records.patch(home, unknown(records), expected_revisions, folder="/new") == NoSuchDocument()
        assert await records.delete(home, unknown(records), expected_revisions=expected_revisions) == NoSuchDocument()
    assert await records.folders(home) == {}
    assert await records.documents.usage(home.id) == Usage(10, 1000, 1)


async def test_the_links_come_back_with_a_changed_document(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    links = [records.link(document.id, entity_id=id_) for id_ in ("c-2", "c-1")]
    for link in links:
        await records.add_link(home, link)
    outcome = await records.patch(home, document.id, name="b.pdf")
    assert isinstance(outcome, Patched)
    assert outcome.found.links == tuple(links)
    assert await records.documents.get(home.id, document.id) == outcome.found


async def test_a_changed_document_is_found_as_what_it_is_now(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, name="OLD Name", description="old Text", folder="/old", tags=("old",))
    old = [DocumentFilter(search=text) for text in ("old name", "old text")]
    old += [DocumentFilter(folder=document.folder), DocumentFilter(tags=("old",))]
    new = [DocumentFilter(search=text) for text in ("new name", "new text")]
    new += [replace(old[2], folder=(await records.recorded(home, folder="/new")).folder), DocumentFilter(tags=("new",))]
    changes: tuple[dict[str, Any], ...]
    changes = ({"name": "NEW Name"}, {"description": "new\nnew TEXT"}, {"folder": "/new"}, {"tags": ("new",)})
    for number, change in enumerate(changes):
        assert await records.all(home, old[number]) == (await records.now(home, document),)
        assert document.id not in [found.id for found in await records.all(home, new[number])]
        await records.patch(home, document.id, **change)
        assert document.id in [found.id for found in await records.all(home, new[number])]
        assert await records.all(home, old[number]) == ()
    for wanted in new:
        assert document.id in [found.id for found in await records.all(home, wanted)]


async def test_a_folder_comes_into_being_with_the_document_and_stays_without_it(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    assert await records.folders(home) == {}
    await records.patch(home, document.id, folder="/a/b/c")
    assert await records.folders(home) == {"/a": 1, "/a/b": 1, "/a/b/c": 1}
    await records.patch(home, document.id, folder="/a/d")
    assert await records.folders(home) == {"/a": 1, "/a/b": 0, "/a/b/c": 0, "/a/d": 1}
    await records.delete(home, document.id)
    assert await records.folders(home) == {"/a": 0, "/a/b": 0, "/a/b/c": 0, "/a/d": 0}


async def test_a_refused_change_makes_no_folder(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    assert await records.patch(home, document.id, frozenset({7}), folder="/new") == RevisionMismatch()
    assert await records.folders(home) == {}


async def test_a_deleted_document_is_gone_from_everywhere(records: Records) -> None:
    home = await records.workspace()
    document, beside = [await records.recorded(home, folder="/a") for _ in range(2)]
    links = [records.link(item.id) for item in (document, beside)]
    for link in links:
        await records.add_link(home, link)
    assert await records.delete(home, document.id) == Deleted(document.storage_path)
    assert await records.documents.get(home.id, document.id) is None
    assert await records.documents.get(home.id, beside.id) == DocumentWithLinks(beside, (links[1],))
    assert await records.all(home) == (beside,)
    assert [found.link for found in await records.linked(home)] == [links[1]]
    assert await records.tags(home) == {"nda": 1, "Ü": 1}
    assert await records.delete(home, document.id) == NoSuchDocument()
    assert await records.patch(home, document.id, name="b.pdf") == NoSuchDocument()


async def test_a_deleted_size_is_given_back_to_the_byte_and_once(records: Records) -> None:
    home = await records.workspace(quota_bytes=100)
    full, empty = await records.recorded(home, size_bytes=100), await records.recorded(home, size_bytes=0)
    more = records.document(home, path="documents/more", size_bytes=1)
    assert await records.documents.create(more, records.intent(home)) == OverQuota(100, 100, 1)
    await records.delete(home, empty.id)
    assert await records.documents.usage(home.id) == Usage(100, 100, 1)
    for _ in range(2):
        await records.delete(home, full.id)
        assert await records.documents.usage(home.id) == Usage(0, 100, 0)
    fits = await records.recorded(home, size_bytes=100)
    assert await records.all(home) == (fits,)


async def state(records: Records, document: Document) -> PathState | None:
    path = document.storage_path
    return (await records.ledger.states(document.workspace_id, [path])).get(path)


async def test_the_path_of_a_deleted_document_is_never_recorded_again(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    assert await state(records, document) is PathState.RECORDED
    await records.delete(home, document.id)

    async def is_taken() -> bool:
        other = replace(document, id=unknown(records))
        return await records.documents.create(other, records.intent(home)) == PathTaken(None)

    assert await state(records, document) is PathState.CONDEMNED
    assert await is_taken()
    await records.ledger.finalise(home.id, [document.storage_path], records.clock())
    assert await state(records, document) is PathState.CONDEMNED
    await records.ledger.finalise(home.id, [document.storage_path], records.clock() + timedelta(seconds=1))
    assert await state(records, document) is PathState.GONE
    assert await is_taken()
    late = ListedObject(key=document.storage_path, size_bytes=1, etag="e", modified_at=records.clock())
    assert await records.ledger.condemn(home.id, [late], records.clock()) == [document.storage_path]
    assert await is_taken()
    assert await records.documents.usage(home.id) == Usage(0, 1000, 0)


async def test_a_deleted_path_waits_with_the_other_condemned_ones(records: Records) -> None:
    home = await records.workspace()
    document, _ = await records.recorded(home), await records.recorded(home)
    await records.delete(home, document.id)
    found = [item.path async for page in records.ledger.condemned() for item in page if item.workspace_id == home.id]
    assert found == [document.storage_path]


async def test_a_create_that_is_tried_again_after_the_delete_was_done_and_does_nothing(records: Records) -> None:
    home = await records.workspace()
    document = records.document(home, folder="/a")
    intent = records.intent(home)
    await records.documents.create(document, intent)
    await records.delete(home, document.id)
    # As the adapter itself tries when an answer was lost: the path is condemned as that of this very document.
    assert await records.documents.create(document, intent) == Created(document)
    assert await records.documents.get(home.id, document.id) is None
    assert await records.documents.usage(home.id) == Usage(0, 1000, 0)
