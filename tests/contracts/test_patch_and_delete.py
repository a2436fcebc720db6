"""The guarantees of `DocumentRepository.patch` and `delete`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.preconditions import UNCONDITIONAL
from ports.ledger import PathState
from ports.outcomes import Created, Deleted, NoSuchDocument, NoSuchLink, Patched, PathTaken
from ports.queries import DocumentWithLinks, Usage
from tests.contracts.records import Records, none_of, only, revised

CHANGES: tuple[dict[str, Any], ...] = (
    {"name": "b.pdf"},
    {"description": "another"},
    {"description": None},
    {"description": ""},
    {"folder": "/other/below"},
    {"folder": None},
    {"tags": ("Ü", "nda")},
    {"tags": ()},
    {"mime_type": "text/plain; charset=UTF-8"},
    {"name": "b.pdf", "description": None, "folder": None, "tags": ("z", "a")},
)


async def test_only_the_given_members_change_and_revision_and_time_only_with_them(records: Records) -> None:
    home = await records.workspace()
    for changes in CHANGES:
        document, other = [await records.recorded(home, folder="/clients/acme") for _ in range(2)]
        link = await records.linked_to(home, document)
        records.clock.advance(hours=1, microseconds=7)
        # The link has added a revision.
        changed = replace(document, **changes, revision=3, updated_at=records.clock())
        patched = DocumentWithLinks(changed, (link.entity,))
        assert await records.patch(home, document.id, **changes) == Patched(patched), changes
        records.clock.advance(hours=1)
        members = ("name", "description", "folder", "tags", "mime_type")
        for given in ((), members, *((member,) for member in members)):
            same = {member: getattr(changed, member) for member in given}
            assert await records.patch(home, document.id, **same) == Patched(patched), (changes, given)
        assert await records.documents.get(home.id, document.id) == patched
        assert (await records.all(home))[:2] == (other, changed)


async def test_each_patch_adds_one_revision_and_its_time_is_never_before_the_last(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    for revision, seconds, expected in ((2, -60, 0), (3, 120, 60), (4, -30, 60)):
        records.clock.advance(seconds=seconds)
        await records.patch(home, document.id, name=f"{seconds}")
        at = document.created_at + timedelta(seconds=expected)
        assert await records.current(document) == replace(document, name=f"{seconds}", revision=revision, updated_at=at)


async def test_a_deleted_document_is_as_unknown_as_one_that_never_was(records: Records) -> None:
    home = await records.workspace()
    document, other = [await records.recorded(home, folder="/a") for _ in range(2)]
    gone, kept = [await records.linked_to(home, item) for item in (document, other)]
    assert await records.delete(home, document.id) == Deleted(document.storage_path)
    for document_id in (document.id, records.unknown_document()):
        assert await records.documents.get(home.id, document_id) is None
        for precondition in (UNCONDITIONAL, only("1"), none_of("1")):
            assert await records.patch(home, document_id, precondition, folder="/new") == NoSuchDocument()
            assert await records.delete(home, document_id, precondition=precondition) == NoSuchDocument()
        assert await records.remove_link(home, document_id, gone.id) == NoSuchLink()
        assert await records.add_link(home, records.link(document_id)) == NoSuchDocument()
    assert await records.documents.get(home.id, other.id) == DocumentWithLinks(revised(other), (kept.entity,))
    assert await records.all(home) == (revised(other),)
    assert [found.link for found in await records.linked(home)] == [kept]
    assert await records.tags(home) == {"nda": 1, "Ü": 1}
    assert await records.folders(home) == {"/a": 1}
    assert await records.documents.usage(home.id) == Usage(10, 1000, 1)


async def test_the_path_of_a_deleted_document_is_condemned_and_never_recorded_again(records: Records) -> None:
    """tests/contracts/test_ledger.py proves the same of a path that is gone."""
    home = await records.workspace()
    document = await records.recorded(home)
    await records.delete(home, document.id)
    assert await records.states(home, document.storage_path) == [PathState.CONDEMNED]
    assert await records.condemned(home) == [document.storage_path]
    other = replace(document, id=records.unknown_document())
    assert await records.create(home, other) == PathTaken(None)
    # The path was condemned at the time of the delete.
    await records.finalise(home, records.clock(), document.storage_path)
    assert await records.states(home, document.storage_path) == [PathState.CONDEMNED]
    await records.finalise(home, records.clock() + timedelta(seconds=1), document.storage_path)
    assert await records.states(home, document.storage_path) == [PathState.GONE]


async def test_a_create_that_is_retried_after_its_document_was_deleted_brings_nothing_back(records: Records) -> None:
    home = await records.workspace()
    document = records.document(home, folder="/a")
    intent = records.intent(home)
    await records.documents.create(document, intent)
    await records.delete(home, document.id)
    # After a lost result, the adapter itself repeats the call. The path is condemned as that of this very document.
    assert await records.documents.create(document, intent) == Created(document)
    assert await records.documents.get(home.id, document.id) is None
    assert await records.documents.usage(home.id) == Usage(0, 1000, 0)
