"""What `DocumentRepository.patch` and `delete` promise."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.paths import FolderPath
from domain.search import DocumentFilter
from ports.ledger import PathState
from ports.outcomes import Created, Deleted, NoSuchDocument, OverQuota, Patched, PathTaken, RevisionMismatch
from ports.queries import DocumentWithLinks, Usage
from tests.contracts.records import Records

CHANGES: tuple[dict[str, Any], ...] = (
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


@pytest.mark.parametrize("changes", CHANGES, ids=str)
async def test_only_the_given_members_change(records: Records, changes: dict[str, Any]) -> None:
    home = await records.workspace()
    document, other = [await records.recorded(home, folder="/clients/acme") for _ in range(2)]
    link = await records.linked_to(home, document)
    records.clock.advance(hours=1, microseconds=7)
    changed = DocumentWithLinks(replace(document, **changes, revision=2, updated_at=records.clock()), (link,))
    assert await records.patch(home, document.id, **changes) == Patched(changed)
    assert await records.documents.get(home.id, document.id) == changed
    assert await records.all(home) == (other, changed.document)


@pytest.mark.parametrize("state", [{}, {"folder": None, "description": None, "tags": ()}], ids=str)
async def test_a_patch_that_changes_nothing_leaves_revision_and_time(records: Records, state: dict[str, Any]) -> None:
    home = await records.workspace()
    document = await records.recorded(home, **{"folder": "/clients/acme", **state})
    records.clock.advance(hours=1)
    members = ("name", "description", "folder", "tags")
    for given in ((), members, *((member,) for member in members)):
        same = {member: getattr(document, member) for member in given}
        assert await records.patch(home, document.id, **same) == Patched(DocumentWithLinks(document, ()))
        assert await records.current(document) == document


async def test_each_patch_adds_one_revision_and_its_time_is_never_before_the_last(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    for revision, seconds, expected in ((2, -60, 0), (3, 120, 60), (4, -30, 60)):
        records.clock.advance(seconds=seconds)
        await records.patch(home, document.id, name=f"{seconds}")
        at = document.created_at + timedelta(seconds=expected)
        assert await records.current(document) == replace(document, name=f"{seconds}", revision=revision, updated_at=at)


@pytest.mark.parametrize(
    "expected_revisions", [{1}, {2}, {1, 3}, set[int](), {2**31 - 1}, {0, -1, 2**31, 2**63, 10**99}], ids=str
)
async def test_a_document_at_another_revision_than_expected_is_neither_patched_nor_deleted(
    records: Records, expected_revisions: set[int]
) -> None:
    home, expected = await records.workspace(), frozenset(expected_revisions)
    document = await records.recorded(home)
    for revision in (1, 2, 3):
        before = await records.documents.get(home.id, document.id)
        outcome = await records.patch(home, document.id, expected, name=f"{revision + 1}")
        if revision in expected:
            assert isinstance(outcome, Patched)
            assert outcome.found.document.revision == revision + 1
        else:
            assert outcome == RevisionMismatch()
            assert await records.patch(home, document.id, expected) == RevisionMismatch()
            assert await records.delete(home, document.id, expected_revisions=expected) == RevisionMismatch()
            assert await records.documents.get(home.id, document.id) == before
            await records.patch(home, document.id, name=f"{revision + 1}")
    assert (await records.documents.usage(home.id)).documents == 1
    done = await records.delete(home, document.id, expected_revisions=expected | {4})
    assert done == Deleted(document.storage_path)


async def test_an_unknown_document_is_neither_patched_nor_deleted(records: Records) -> None:
    home = await records.workspace()
    await records.recorded(home)
    for expected in (None, frozenset({1})):
        unknown = records.unknown_document()
        assert await records.patch(home, unknown, expected, folder="/new") == NoSuchDocument()
        assert await records.delete(home, unknown, expected_revisions=expected) == NoSuchDocument()
    assert await records.folders(home) == {}
    assert await records.documents.usage(home.id) == Usage(10, 1000, 1)


async def test_a_patched_document_is_found_by_its_new_members_only(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, name="OLD Name", description="old Text", folder="/old", tags=("old",))
    members: tuple[dict[str, Any], ...]
    members = ({"name": "NEW Name"}, {"description": "new\nnew TEXT"}, {"folder": "/new"}, {"tags": ("new",)})
    old, new = (
        [
            DocumentFilter(search=f"{age} name"),
            DocumentFilter(search=f"{age} text"),
            DocumentFilter(folder=FolderPath(f"/{age}")),
            DocumentFilter(tags=(age,)),
        ]
        for age in ("old", "new")
    )
    for number, changes in enumerate(members):
        assert await records.all(home, old[number]) == (await records.current(document),)
        assert await records.all(home, new[number]) == ()
        await records.patch(home, document.id, **changes)
        assert await records.all(home, old[number]) == ()
    for wanted in new:
        assert await records.all(home, wanted) == (await records.current(document),)


async def test_a_patch_creates_its_folders_and_a_delete_leaves_them(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    assert await records.patch(home, document.id, frozenset({7}), folder="/refused") == RevisionMismatch()
    assert await records.folders(home) == {}
    await records.patch(home, document.id, folder="/a/b/c")
    assert await records.folders(home) == {"/a": 1, "/a/b": 1, "/a/b/c": 1}
    await records.patch(home, document.id, folder="/a/d")
    assert await records.folders(home) == {"/a": 1, "/a/b": 0, "/a/b/c": 0, "/a/d": 1}
    await records.delete(home, document.id)
    assert await records.folders(home) == {"/a": 0, "/a/b": 0, "/a/b/c": 0, "/a/d": 0}


async def test_a_deleted_document_is_shown_nowhere(records: Records) -> None:
    home = await records.workspace()
    document, other = [await records.recorded(home, folder="/a") for _ in range(2)]
    _, kept = [await records.linked_to(home, item) for item in (document, other)]
    assert await records.delete(home, document.id) == Deleted(document.storage_path)
    assert await records.documents.get(home.id, document.id) is None
    assert await records.documents.get(home.id, other.id) == DocumentWithLinks(other, (kept,))
    assert await records.all(home) == (other,)
    assert [found.link for found in await records.linked(home)] == [kept]
    assert await records.tags(home) == {"nda": 1, "Ü": 1}
    assert await records.delete(home, document.id) == NoSuchDocument()
    assert await records.patch(home, document.id, name="b.pdf") == NoSuchDocument()


async def test_a_delete_returns_the_size_to_the_quota_once(records: Records) -> None:
    home = await records.workspace(quota_bytes=100)
    full, empty = await records.recorded(home, size_bytes=100), await records.recorded(home, size_bytes=0)
    more = records.document(home, path="documents/more", size_bytes=1)
    assert await records.create(home, more) == OverQuota(100, 100, 1)
    await records.delete(home, empty.id)
    assert await records.documents.usage(home.id) == Usage(100, 100, 1)
    for _ in range(2):
        await records.delete(home, full.id)
        assert await records.documents.usage(home.id) == Usage(0, 100, 0)
    await records.recorded(home, size_bytes=100)


async def test_the_path_of_a_deleted_document_is_condemned_then_gone_and_never_recorded_again(
    records: Records,
) -> None:
    home = await records.workspace()
    document, _ = await records.recorded(home), await records.recorded(home)
    path = document.storage_path
    await records.delete(home, document.id)

    async def check(state: PathState) -> None:
        assert await records.states(home, path) == [state]
        other = replace(document, id=records.unknown_document())
        assert await records.create(home, other) == PathTaken(None)

    await check(PathState.CONDEMNED)
    assert await records.condemned(home) == [path]
    await records.finalise(home, records.clock(), path)
    await check(PathState.CONDEMNED)
    await records.finalise(home, records.clock() + timedelta(seconds=1), path)
    await check(PathState.GONE)
    assert await records.condemn(home, path) == [path]
    await check(PathState.CONDEMNED)
    assert await records.documents.usage(home.id) == Usage(10, 1000, 1)


async def test_a_create_that_is_retried_after_its_document_was_deleted_brings_nothing_back(records: Records) -> None:
    home = await records.workspace()
    document = records.document(home, folder="/a")
    intent = records.intent(home)
    await records.documents.create(document, intent)
    await records.delete(home, document.id)
    # The adapter itself retries when an answer was lost. The path is condemned as that of this very document.
    assert await records.documents.create(document, intent) == Created(document)
    assert await records.documents.get(home.id, document.id) is None
    assert await records.documents.usage(home.id) == Usage(0, 1000, 0)
