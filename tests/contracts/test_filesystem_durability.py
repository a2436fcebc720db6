"""The directory through crashes and races: completed operations last, and interrupted ones are cleaned up."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.filesystem import files
from adapters.filesystem.storage import FilesystemStorage
from domain.documents import StoredObject
from domain.paths import StoragePath
from tests.contracts.filesystem import PATH, PREFIX, keys, put, terms

AN_HOUR = timedelta(hours=1)


async def test_a_delete_cut_off_by_a_crash_is_completed_by_the_next(storage: FilesystemStorage, root: Path) -> None:
    await put(storage)
    (root / "objects" / PATH).unlink()
    await storage.delete([PATH])
    assert not (root / "objects" / PATH).parent.exists()
    assert not (root / "checksums" / PATH).parent.exists()


@pytest.mark.parametrize("kind", ["objects", "checksums"])
async def test_an_upload_creates_its_directory_again_when_a_delete_removes_it(
    storage: FilesystemStorage, root: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    make, times = files.make_directories, 0

    def make_and_remove(directory: Path, below: Path | None = None) -> None:
        nonlocal times
        make(directory, below)
        if directory == (root / kind / PATH).parent and times < 3:
            times += 1
            directory.rmdir()

    monkeypatch.setattr(files, "make_directories", make_and_remove)
    stored = await put(storage)
    assert times == 3
    assert await storage.stat(PATH) == stored
    assert stored.sha256 is not None


async def test_an_upload_that_is_deleted_at_once_succeeds_and_the_next_delete_leaves_nothing(
    storage: FilesystemStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def link_and_remove(source: Path, target: Path) -> None:
        link(source, target)
        files.remove([PATH], root / "objects", 3)
        files.remove([PATH], root / "checksums", 3)

    monkeypatch.setattr(os, "link", link_and_remove)
    await put(storage)
    assert await storage.stat(PATH) is None
    await storage.delete([PATH])
    assert list((root / "checksums").rglob("*.txt")) == []


@dataclass
class Disk:
    """Records which files and directories were synced. No file may get its name before it is synced."""

    synced: set[int] = field(default_factory=set)

    def has(self, *paths: Path) -> bool:
        return {path.stat().st_ino for path in paths} <= self.synced


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Watch every sync, link and rename from now on."""
    disk = Disk()
    fsync, link, move = os.fsync, os.link, os.replace

    def watched_fsync(descriptor: int) -> None:
        fsync(descriptor)
        disk.synced.add(os.fstat(descriptor).st_ino)

    def watched_link(source: Path, target: Path) -> None:
        assert disk.has(source)
        link(source, target)

    def watched_move(source: Path, target: Path) -> None:
        assert disk.has(source)
        move(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "link", watched_link)
    monkeypatch.setattr(os, "replace", watched_move)
    return disk


async def test_a_reported_upload_is_durable(storage: FilesystemStorage, root: Path, disk: Disk) -> None:
    await put(storage)
    for kind in ("objects", "checksums"):
        file = root / kind / PATH
        assert disk.has(file, *list(file.parents)[:5])


async def test_a_reported_delete_is_durable(storage: FilesystemStorage, root: Path, disk: Disk) -> None:
    beside = StoragePath("workspaces/ws_1/documents/02/b.txt")
    for path in (PATH, beside, StoragePath("workspaces/ws_1/documents/02/c.txt")):
        await put(storage, path)
    disk.synced.clear()
    await storage.delete([PATH, beside])
    for kind in ("objects", "checksums"):
        assert disk.has((root / kind / PATH).parent.parent, (root / kind / beside).parent)


@pytest.mark.parametrize("replace", [False, True])
async def test_a_reported_mark_is_durable(storage: FilesystemStorage, root: Path, disk: Disk, replace: bool) -> None:
    assert await storage.write_mark("mine", replace=replace)
    assert disk.has(root, root / "deployment")
    disk.synced.clear()
    # The loser of a race acts on the mark of the winner, so it syncs that mark too.
    assert not await storage.write_mark("other", replace=False)
    assert disk.has(root)


async def test_leftovers_of_crashes_probes_and_upgrades_are_discarded(storage: FilesystemStorage, root: Path) -> None:
    stored = await put(storage)
    (root / "incoming/lost+found").mkdir()
    number = "0" * 32
    probe, older, crashed, another = left = [
        root / "objects" / f".probe-{number}",
        root / "incoming" / number,
        root / "incoming" / f"ws_1.{number}",
        root / "incoming" / f"ws_2.{number}",
    ]
    for file in (probe, older, another):
        file.touch()
    # A crash between storing an object and removing its second name.
    os.link(root / "objects" / PATH, crashed)
    now = datetime.now(UTC)
    assert await storage.discard_unfinished(PREFIX, now - AN_HOUR) == 0
    assert [file.exists() for file in left] == [True, True, True, True]
    assert await storage.discard_unfinished(PREFIX, now + AN_HOUR) == 2
    assert [file.exists() for file in left] == [False, False, False, True]
    assert await storage.discard_unfinished("workspaces/", now + AN_HOUR) == 1
    assert [entry.name for entry in (root / "incoming").iterdir()] == ["lost+found"]
    assert await keys(storage, "workspaces/") == {PATH}
    assert await storage.stat(PATH) == stored


async def test_an_upload_in_progress_is_not_discarded_however_old_it_is(storage: FilesystemStorage, root: Path) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 2**20
        (incoming,) = (root / "incoming").iterdir()
        os.utime(incoming, (0, 0))
        yield b"y" * 2**20
        assert await storage.discard_unfinished(PREFIX, datetime.now(UTC) - AN_HOUR) == 0

    stored = await storage.write(terms(), slow())
    assert isinstance(stored, StoredObject)
    assert stored.size_bytes == 2 * 2**20
