"""The outcomes of `DocumentRepository.move_folder` and `delete_folder`, and the folders that they leave."""

import pytest

from domain.access import Workspace
from domain.paths import FolderPath, is_within
from ports.outcomes import FolderDeleted, FolderHasDocuments, FolderMoved, FolderTaken, NoSuchFolder, TooDeep
from ports.queries import Usage
from tests.contracts.records import Records

Folders = list[str]

MOVES: dict[str, tuple[Folders, Folders, str, str, object, dict[str, int] | None]] = {
    "an empty folder is replaced": (["/a/b"], ["/e"], "/a", "/e", FolderMoved(1), {"/e": 1, "/e/b": 1}),
    "so are the empty folders below it": (
        ["/a/b"], ["/e/b/c", "/e/d"], "/a", "/e", FolderMoved(1), {"/e": 1, "/e/b": 1},
    ),
    "the folders above it stay": (
        ["/a/b"], ["/c/d", "/c/e"], "/a/b", "/c/d", FolderMoved(1), {"/a": 0, "/c": 1, "/c/d": 1, "/c/e": 0},
    ),
    "so do its siblings": (["/a"], ["/e", "/ef", "/e!"], "/a", "/e", FolderMoved(1), {"/e": 1, "/ef": 0, "/e!": 0}),
    "an empty folder replaces an empty one": ([], ["/a/b", "/e/f"], "/a", "/e", FolderMoved(0), {"/e": 0, "/e/b": 0}),
    "an empty folder replaces the folder above it": (
        [], ["/a/b/c", "/a/d"], "/a/b", "/a", FolderMoved(0), {"/a": 0, "/a/c": 0},
    ),
    "also if paths take the place of each other": (
        [], ["/a/b/b/b", "/a/b/b/c", "/a/d"], "/a/b", "/a", FolderMoved(0),
        {"/a": 0, "/a/b": 0, "/a/b/b": 0, "/a/b/c": 0},
    ),
    "and two levels above": (
        ["/x"], ["/x/a/a/a/a", "/x/b"], "/x/a/a", "/x/a", FolderMoved(0),
        {"/x": 1, "/x/a": 0, "/x/a/a": 0, "/x/a/a/a": 0, "/x/b": 0},
    ),
    "its own documents take the folder above": (["/a/b"], [], "/a/b", "/a", FolderTaken(), None),
    "other documents in it do too": (["/a", "/c"], [], "/a", "/c", FolderTaken(), None),
    "and documents below it": (["/a", "/c/d/e"], [], "/a", "/c", FolderTaken(), None),
    "a move that is too deep replaces nothing": (["/a"], ["/a/b/c", "/x" * 19], "/a", "/x" * 19, TooDeep(), None),
    "documents below count for the depth too": (["/a/b/c"], [], "/a", "/x" * 19, TooDeep(), None),
    "the deepest target that fits": (
        ["/a/b"], [], "/a", "/x" * 19, FolderMoved(1), {**{"/x" * n: 1 for n in range(1, 20)}, "/x" * 19 + "/b": 1},
    ),
    "the folders above a new target are created": (
        ["/a/b", "/a/b/c", "/a"], [], "/a/b", "/y/z", FolderMoved(2), {"/a": 1, "/y": 2, "/y/z": 2, "/y/z/c": 1},
    ),
    "empty folders move too": ([], ["/a/b/c"], "/a", "/z", FolderMoved(0), {"/z": 0, "/z/b": 0, "/z/b/c": 0}),
    "a missing source is reported before a target": (["/a/b", "/c"], [], "/b", "/c", NoSuchFolder(), None),
    "it is missing below a folder that exists": (["/a/b"], [], "/a/c", "/new", NoSuchFolder(), None),
    "and in another letter case": (["/a/b"], [], "/a/B", "/new", NoSuchFolder(), None),
}  # fmt: skip
"""Folders with a document each, empty folders, source, target, the outcome, and the folders afterwards (`None`: as
before)."""


async def record(records: Records, used: Folders, empty: Folders) -> Workspace:
    """Return a workspace with these folders, and with one document in each that is used."""
    home = await records.workspace()
    for folder in used:
        await records.recorded(home, folder=folder)
    for folder in empty:
        await records.delete(home, (await records.recorded(home, folder=folder)).id)
    return home


@pytest.mark.parametrize("kind", MOVES)
async def test_a_move_replaces_only_an_empty_folder_and_a_refusal_changes_nothing(records: Records, kind: str) -> None:
    used, empty, source, target, outcome, after = MOVES[kind]
    home = await record(records, used, empty)
    before, documents = await records.folders(home), await records.all(home)
    assert await records.move(home, source, target) == outcome
    assert await records.folders(home) == (before if after is None else after)
    for document in documents:
        found = await records.current(document)
        assert found is not None
        is_moved = isinstance(outcome, FolderMoved) and is_within(document.folder, FolderPath(source))
        assert found.folder == (target + (document.folder or "").removeprefix(source) if is_moved else document.folder)
    # Every path that is free now can be used, and every folder that is listed is found.
    for folder in [*before, *(after or {})]:
        await records.recorded(home, folder=folder)
    assert {*await records.folders(home)} == {*before, *(after or {})}


DELETES: dict[str, tuple[Folders, Folders, str, object, Folders]] = {
    "an empty folder": ([], ["/a"], "/a", FolderDeleted(), []),
    "the last of a path": ([], ["/a/b/c"], "/a/b/c", FolderDeleted(), ["/a", "/a/b"]),
    "with empty folders below it": (["/b"], ["/a/b/c", "/a/d", "/a"], "/a", FolderDeleted(), ["/b"]),
    "one of several": (["/a"], ["/a/b", "/a/bc", "/a/b!"], "/a/b", FolderDeleted(), ["/a", "/a/b!", "/a/bc"]),
    "one with a document": (["/a"], ["/a/b"], "/a", FolderHasDocuments(), ["/a", "/a/b"]),
    "one with a document below": (["/a/b/c"], ["/a/d"], "/a", FolderHasDocuments(), ["/a", "/a/b", "/a/b/c", "/a/d"]),
    "unknown": ([], ["/a/b"], "/b", NoSuchFolder(), ["/a", "/a/b"]),
    "unknown, below one that exists": ([], ["/a/b"], "/a/b/c", NoSuchFolder(), ["/a", "/a/b"]),
    "in another letter case": ([], ["/a/b"], "/A", NoSuchFolder(), ["/a", "/a/b"]),
    "a part of a name": ([], ["/ab"], "/a", NoSuchFolder(), ["/ab"]),
    "wildcards": ([], ["/ab"], "/a%", NoSuchFolder(), ["/ab"]),
}
"""Folders with a document each, empty folders, the folder to delete, the outcome, and the folders afterwards."""


@pytest.mark.parametrize("kind", DELETES)
async def test_a_folder_is_deleted_with_everything_below_if_no_document_is_in_it(records: Records, kind: str) -> None:
    used, empty, folder, outcome, after = DELETES[kind]
    home = await record(records, used, empty)
    documents = await records.all(home)
    assert await records.delete_folder(home, folder) == outcome
    assert sorted(await records.folders(home)) == after
    assert await records.all(home) == documents
    assert await records.documents.usage(home.id) == Usage(10 * len(used), 1000, len(used))
    if outcome == FolderDeleted():
        assert await records.delete_folder(home, folder) == NoSuchFolder()
        again = await records.recorded(home, folder=folder)
        assert await records.delete_folder(home, folder) == FolderHasDocuments()
        await records.delete(home, again.id)
        assert await records.delete_folder(home, folder) == FolderDeleted()


async def test_a_folder_that_became_lower_or_higher_fits_where_it_may(records: Records) -> None:
    home = await records.workspace()
    top = "/x" * 18
    for folder in ("/a/b/c", "/a/d", "/e/f/g"):
        await records.recorded(home, folder=folder)
    assert await records.move(home, "/a", f"{top}/a") == TooDeep()
    # One folder leaves by a move, the other one by a deletion.
    assert await records.move(home, "/a/b", "/b") == FolderMoved(1)
    await records.delete(home, (await records.recorded(home, folder="/a/d/e")).id)
    assert await records.move(home, "/a", f"{top}/a") == TooDeep()
    await records.ledger.delete_empty_folders(home.id)
    assert await records.move(home, "/a", f"{top}/a") == FolderMoved(1)
    # Others become higher: by a move, and by a document.
    assert await records.move(home, "/b", "/e/f/g/b") == FolderMoved(1)
    assert await records.move(home, "/e", f"{top[2:]}/e") == TooDeep()
    assert await records.move(home, f"{top}/a", "/a") == FolderMoved(1)
    await records.recorded(home, folder="/a/d/e")
    assert await records.move(home, "/a", f"{top}/a") == TooDeep()


async def test_a_move_counts_documents_and_folders_up_to_a_limit(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("memory", "postgres"):
        monkeypatch.setattr(f"adapters.{module}.changes.COUNT_MAX", 3)
    home = await record(records, ["/a/b/c", "/a/b", "/a", "/d", "/d", "/d", "/d"], ["/e/f/g/h", "/i/j/k"])
    assert await records.move(home, "/a", "/z/a") == FolderMoved(3)
    assert await records.move(home, "/d", "/z/d") == FolderMoved(3, is_exact=False)
    assert await records.move(home, "/e", "/z/e") == FolderMoved(0, is_exact=False)
    assert await records.move(home, "/i", "/z/i") == FolderMoved(0)
