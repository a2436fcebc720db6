"""How many folders a workspace may have, and that empty folders can be deleted all at once."""

from collections.abc import Awaitable

import pytest

from ports.outcomes import Created, FolderMoved, Patched, TooManyFolders
from ports.queries import Usage
from tests.contracts.races import at_once
from tests.contracts.records import Records, new_key

MANY = 40
ROUNDS = 3


@pytest.fixture
def five_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a workspace have five folders."""
    for module in ("memory.changes", "postgres.changes", "postgres.creates"):
        monkeypatch.setattr(f"adapters.{module}.FOLDERS_MAX", 5)


@pytest.mark.usefixtures("five_folders")
async def test_a_create_or_patch_that_needs_more_folders_than_a_workspace_may_have_is_refused(records: Records) -> None:
    home, key = await records.workspace(), new_key()
    document = await records.recorded(home, folder="/a/b/c")
    for folder in ("/d/e/f", "/a/b/c/d/e/f"):
        refused = records.document(home, path="documents/refused", folder=folder)
        assert await records.create(home, refused, key) == TooManyFolders()
        assert await records.patch(home, document.id, folder=folder, name="b") == TooManyFolders()
    assert await records.documents.usage(home.id) == Usage(10, 1000, 1)
    assert await records.current(document) == document
    # The idempotency key is free, and two more folders fit exactly.
    two = records.document(home, path="documents/two", folder="/a/x/y")
    assert await records.create(home, two, key) == Created(two)
    for there in (None, "/a", "/a/x/y"):
        assert isinstance(await records.create(home, records.document(home, path=f"{there}", folder=there)), Created)
        assert isinstance(await records.patch(home, document.id, folder=there), Patched)
    assert await records.patch(home, document.id, folder="/z") == TooManyFolders()
    assert sorted(await records.folders(home)) == ["/a", "/a/b", "/a/b/c", "/a/x", "/a/x/y"]
    # Deleted folders make room for new ones.
    assert await records.ledger.delete_empty_folders(home.id) == 2
    assert isinstance(await records.patch(home, document.id, folder="/y/z"), Patched)


@pytest.mark.usefixtures("five_folders")
async def test_a_move_that_needs_more_folders_than_a_workspace_may_have_is_refused(records: Records) -> None:
    home = await records.workspace()
    await records.recorded(home, folder="/a/b/c/d")
    before = await records.folders(home)
    assert await records.move(home, "/a/b", "/x/y/z") == TooManyFolders()
    assert await records.folders(home) == before
    assert await records.move(home, "/a/b", "/x/y") == FolderMoved(1)
    for source, target in (("/x", "/z"), ("/z/y", "/a/y"), ("/a/y", "/z")):
        assert await records.move(home, source, target) == FolderMoved(1)
    assert await records.folders(home) == {"/a": 0, "/z": 1, "/z/c": 1, "/z/c/d": 1}


@pytest.mark.usefixtures("five_folders")
async def test_of_many_creates_at_once_those_whose_folders_fit_are_created(shared: Records) -> None:
    for _ in range(ROUNDS):
        home = await shared.workspace(quota_bytes=10_000)
        await shared.recorded(home, folder="/a")
        folders = [("/a", None, f"/{number}/x", "/s/t")[number % 4] for number in range(MANY)]
        outcomes = await at_once(
            shared.create(home, shared.document(home, path=f"documents/{number}", folder=folder))
            for number, folder in enumerate(folders)
        )
        by_folder = dict(zip(folders, map(type, outcomes), strict=True))
        assert {by_folder["/a"], by_folder[None]} == {Created}
        # Two more paths of folders fit. All creates in these two are made, and all others with new folders are refused.
        made = {folder for folder, kind in by_folder.items() if folder not in ("/a", None) and kind is Created}
        assert len(made) == 2
        assert len(await shared.folders(home)) == 5
        for folder, outcome in zip(folders, outcomes, strict=True):
            assert isinstance(outcome, Created if folder in {"/a", None, *made} else TooManyFolders)


async def test_folders_are_deleted_exactly_if_no_document_is_in_them_or_below_them(records: Records) -> None:
    home, other = await records.workspace(10**6), await records.workspace()
    for folder in ("/a", "/b/c/d", "/b!/c"):
        await records.recorded(home, folder=folder)
    for number in range(1010):
        await records.delete(home, (await records.recorded(home, folder=f"/e/{number}/f")).id)
    for folder in ("/a/b/c", "/b/c/e", "/b/x", "/b/c!", "/e"):
        await records.delete(home, (await records.recorded(home, folder=folder)).id)
    await records.delete(other, (await records.recorded(other, folder="/a")).id)
    assert await records.ledger.delete_empty_folders(home.id) == 2 * 1010 + 6
    assert await records.folders(home) == {"/a": 1, "/b": 1, "/b!": 1, "/b!/c": 1, "/b/c": 1, "/b/c/d": 1}
    assert await records.ledger.delete_empty_folders(home.id) == 0
    assert await records.folders(other) == {"/a": 0}


async def test_a_document_that_meets_the_deletion_of_its_empty_folder_has_a_folder_afterwards(shared: Records) -> None:
    for _ in range(ROUNDS):
        home = await shared.workspace(10**6)
        moving = [await shared.recorded(home) for _ in range(MANY // 2)]
        for number in range(MANY):
            await shared.delete(home, (await shared.recorded(home, folder=f"/a/{number}/b/c")).id)
        documents = [
            shared.document(home, path=f"documents/{number}", folder=f"/a/{number}/b") for number in range(MANY // 2)
        ]
        calls: list[Awaitable[object]] = []
        for number, document in enumerate(documents):
            calls += [
                shared.create(home, document),
                shared.ledger.delete_empty_folders(home.id),
                shared.patch(home, moving[number].id, folder=f"/a/{MANY // 2 + number}/b"),
            ]
        await at_once(calls)
        await shared.ledger.delete_empty_folders(home.id)
        wanted = {"/a": MANY} | {f"/a/{number}{below}": 1 for number in range(MANY) for below in ("", "/b")}
        assert await shared.folders(home) == wanted
        for document in documents:
            assert await shared.current(document) == document
