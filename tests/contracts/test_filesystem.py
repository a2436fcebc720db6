"""Failures that only a directory has: its volume disappears, its disk fails or is full, or it holds foreign files."""

import asyncio
import errno
import os
import stat
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.filesystem.storage import FilesystemStorage
from domain.paths import StoragePath
from ports.checks import Grade
from ports.storage import AlreadyStored, DownloadTerms
from ports.system import Unavailable
from tests.contracts.filesystem import PATH, PREFIX, keys, put, terms
from tests.contracts.stores import pieces

LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("left", ["nothing", "an empty mount point"])
async def test_a_volume_that_disappeared_is_not_created_anew(storage: FilesystemStorage, root: Path, left: str) -> None:
    stored = await put(storage)
    assert await storage.write_mark("mine", replace=False)
    root.rename(root.with_name("elsewhere"))
    if left == "an empty mount point":
        root.mkdir()

    download = DownloadTerms(path=PATH, stored=stored, mime_type="text/plain", disposition="attachment")
    for attempt in (
        storage.probe(),
        storage.stat(PATH),
        storage.write(terms(), pieces(b"new")),
        storage.sign_download(download, LATER),
        keys(storage),
        storage.delete([PATH]),
        storage.discard_unfinished(PREFIX, LATER),
        storage.read_mark(),
        storage.write_mark("other", replace=False),
        storage.write_mark("other", replace=True),
    ):
        with pytest.raises(Unavailable):
            await attempt
    (result,) = await storage.run_checks()
    assert result.grade is Grade.FAILED
    assert str(root) in result.found
    assert not root.exists() or list(root.iterdir()) == []

    if root.exists():
        root.rmdir()
    root.with_name("elsewhere").rename(root)
    await storage.probe()
    assert await storage.stat(PATH) == stored
    assert await storage.read_mark() == "mine"


def replacing_link(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())


def refusing_link(*_: object) -> None:
    raise OSError(errno.EPERM, "no links here")


@pytest.mark.parametrize("link", [replacing_link, refusing_link])
async def test_a_file_system_whose_hard_links_fail_or_replace_files_is_refused(
    storage: FilesystemStorage, monkeypatch: pytest.MonkeyPatch, link: object
) -> None:
    monkeypatch.setattr(os, "link", link)
    for attempt in (storage.prepare(), storage.probe()):
        with pytest.raises(Unavailable, match=r"replaces|no links here"):
            await attempt
    assert [result.grade for result in await storage.run_checks()] == [Grade.FAILED]


async def test_a_file_system_that_ignores_letter_case_is_refused(
    storage: FilesystemStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a file system that ignores case, the probe would find this file under its own name in lower case.
    monkeypatch.setattr("adapters.filesystem.directory.new_name", lambda: "probe")
    (root / "objects/.PROBE-PROBE").touch()
    for attempt in (storage.prepare(), storage.probe()):
        with pytest.raises(Unavailable, match="does not tell upper case from lower case"):
            await attempt


async def test_a_full_disk_accepts_no_files_and_serves_the_existing_ones(
    storage: FilesystemStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await put(storage)
    await storage.write_mark("first", replace=False)
    fsync = os.fsync

    def full(descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_size > 0:
            raise OSError(errno.ENOSPC, "no space left")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    for attempt in (storage.probe(), put(storage, f"{PREFIX}new"), storage.write_mark("second", replace=True)):
        with pytest.raises(Unavailable, match="no space left"):
            await attempt
    assert list((root / "incoming").iterdir()) == []
    await storage.prepare()
    assert await keys(storage) == {PATH}
    assert await storage.stat(PATH) == stored
    assert await storage.read_mark() == "first"


async def test_a_failing_disk_is_unavailable(storage: FilesystemStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    await put(storage)

    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "scandir", failing)
    monkeypatch.setattr(Path, "unlink", failing)
    for attempt in (storage.delete([PATH]), keys(storage), storage.discard_unfinished(PREFIX, LATER)):
        with pytest.raises(Unavailable, match="input/output error"):
            await attempt
    monkeypatch.undo()
    assert await storage.write(terms(), pieces(b"other")) == AlreadyStored()


async def test_a_delete_removes_only_the_directory_of_the_document(storage: FilesystemStorage, root: Path) -> None:
    deep = StoragePath("workspaces/ws_1/documents/02/deep/down/b.txt")
    for path in (PATH, deep, StoragePath("workspaces/ws_1/top.txt")):
        await put(storage, path)
        await storage.delete([path])
    for kind in ("objects", "checksums"):
        left = {str(found.relative_to(root / kind)) for found in (root / kind).rglob("*")}
        assert left == {"workspaces", "workspaces/ws_1", "workspaces/ws_1/documents"}


async def test_symbolic_links_are_never_followed(storage: FilesystemStorage, root: Path, tmp_path: Path) -> None:
    await put(storage)
    outside = tmp_path / "outside" / "secret.txt"
    outside.parent.mkdir()
    outside.write_text("not ours")
    home = root / "objects" / PREFIX
    for link, target in (("file", outside), ("folder", outside.parent), ("circle", home), ("../ws_2", outside.parent)):
        (home / link).symlink_to(target)
    assert await keys(storage) == {PATH}
    assert await keys(storage, "workspaces/ws_2/") == set()
    assert await storage.stat(StoragePath(f"{PREFIX}file")) is None
    await storage.delete([StoragePath(f"{PREFIX}file"), StoragePath(f"{PREFIX}folder")])
    assert outside.read_text() == "not ours"


async def test_invalid_file_names_are_listed_in_a_printable_form(storage: FilesystemStorage, root: Path) -> None:
    await put(storage)
    for name in (b"caf\xe9", b"new\nline", "ü".encode()):
        (root / "objects" / PREFIX / os.fsdecode(name)).write_bytes(b"x")
    found = await keys(storage)
    assert found == {PATH, f"{PREFIX}caf\\xe9", f"{PREFIX}new\nline", f"{PREFIX}ü"}
    "".join(found).encode()


async def test_a_listing_needs_the_same_memory_for_any_number_of_files(storage: FilesystemStorage, root: Path) -> None:
    await put(storage)
    peaks, existing = [], 1
    for number in (2000, 6000):
        for new in range(existing, number):
            directory = root / "objects" / PREFIX / f"documents/x{new}"
            directory.mkdir()
            os.link(root / "objects" / PATH, directory / "a.txt")
        existing = number
        tracemalloc.start()
        assert sum([len(page) async for page in storage.list(PREFIX)]) == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2


async def test_a_foreign_mark_is_read_as_it_is_and_not_as_missing(storage: FilesystemStorage, root: Path) -> None:
    for content, text in ((b"", ""), (b"half\n", "half"), (b"\xff", "\N{REPLACEMENT CHARACTER}")):
        (root / "deployment").write_bytes(content)
        assert await storage.read_mark() == text
        assert not await storage.write_mark("mine", replace=False)


HOLD = """
import sys, threading
from pathlib import Path
from adapters.filesystem.incoming import UploadLock

print(UploadLock(Path(sys.argv[1]), sys.argv[2]).acquire(), flush=True)
threading.Event().wait()
"""


async def test_a_killed_process_leaves_its_path_free_for_another_upload(storage: FilesystemStorage, root: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(root / "incoming"), PATH), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"True\n"
    async with storage.receiving(PATH) as is_alone:
        assert not is_alone
    process.kill()
    await process.wait()
    # The file that it locked is left, and locks nothing.
    assert len(list((root / "incoming").iterdir())) == 1
    async with storage.receiving(PATH) as is_alone:
        assert is_alone
    assert list((root / "incoming").iterdir()) == []
