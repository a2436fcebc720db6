"""Failures that only a directory has: its volume disappears, its disk fails or is full, or it holds foreign files."""

import errno
import os
import stat
import tracemalloc
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
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
async def test_a_volume_that_disappeared_is_unavailable_and_is_not_created_anew(
    storage: FilesystemStorage, root: Path, left: str
) -> None:
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


async def test_a_file_system_on_which_a_hard_link_replaces_a_file_is_refused(
    storage: FilesystemStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replacing(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes())

    monkeypatch.setattr(os, "link", replacing)
    with pytest.raises(Unavailable, match="replaces"):
        await storage.probe()


async def test_a_file_system_without_hard_links_is_refused(
    storage: FilesystemStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refusing)
    with pytest.raises(Unavailable, match="no links here"):
        await storage.prepare()
    assert [result.grade for result in await storage.run_checks()] == [Grade.FAILED]


async def test_a_file_system_that_ignores_letter_case_is_refused(
    storage: FilesystemStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On such a file system, a look-up of one name finds the other.
    monkeypatch.setattr("adapters.filesystem.storage.new_name", lambda: "probe")
    (root / "objects/.PROBE-PROBE").touch()
    for attempt in (storage.prepare(), storage.probe()):
        with pytest.raises(Unavailable, match="does not tell upper case from lower case"):
            await attempt


async def test_a_directory_among_the_unfinished_uploads_is_ignored(storage: FilesystemStorage, root: Path) -> None:
    (root / "incoming/lost+found").mkdir()
    (root / "incoming/old").touch()
    assert await storage.discard_unfinished(PREFIX, datetime.now(UTC) + timedelta(days=1)) == 1
    assert (root / "incoming/lost+found").is_dir()


async def test_a_full_disk_accepts_no_files_and_serves_the_existing_ones(
    storage: FilesystemStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await put(storage)
    fsync = os.fsync

    def full(descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_size > 0:
            raise OSError(errno.ENOSPC, "no space left")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="no space left"):
        await storage.probe()
    assert list((root / "incoming").iterdir()) == []
    await storage.prepare()
    assert await storage.stat(PATH) == stored


async def test_a_delete_removes_the_directory_of_the_document_and_none_above_it(
    storage: FilesystemStorage, root: Path
) -> None:
    deep = StoragePath("workspaces/ws_1/documents/02/deep/down/b.txt")
    for path in (PATH, deep, StoragePath("workspaces/ws_1/top.txt")):
        await put(storage, path)
        await storage.delete([path])
    for kind in ("objects", "checksums"):
        left = {str(found.relative_to(root / kind)) for found in (root / kind).rglob("*")}
        assert left == {"workspaces", "workspaces/ws_1", "workspaces/ws_1/documents"}


async def test_symbolic_links_are_not_followed_and_are_no_objects(
    storage: FilesystemStorage, root: Path, tmp_path: Path
) -> None:
    await put(storage)
    outside = tmp_path / "outside" / "secret.txt"
    outside.parent.mkdir()
    outside.write_text("not ours")
    home = root / "objects" / PREFIX
    (home / "file").symlink_to(outside)
    (home / "folder").symlink_to(outside.parent)
    (home / "circle").symlink_to(home)
    (root / "objects" / "workspaces" / "ws_2").symlink_to(outside.parent)
    assert await keys(storage) == {PATH}
    assert await keys(storage, "workspaces/ws_2/") == set()
    assert await storage.stat(StoragePath(f"{PREFIX}file")) is None
    await storage.delete([StoragePath(f"{PREFIX}file"), StoragePath(f"{PREFIX}folder")])
    assert outside.read_text() == "not ours"


async def test_file_names_that_are_no_valid_text_are_listed_in_a_printable_form(
    storage: FilesystemStorage, root: Path
) -> None:
    await put(storage)
    for name in (b"caf\xe9", b"new\nline", "ü".encode()):
        (root / "objects" / PREFIX / os.fsdecode(name)).write_bytes(b"x")
    found = await keys(storage)
    assert found == {PATH, f"{PREFIX}caf\\xe9", f"{PREFIX}new\nline", f"{PREFIX}ü"}
    "".join(found).encode()


async def test_a_listing_needs_the_same_memory_for_any_number_of_files(storage: FilesystemStorage, root: Path) -> None:
    await put(storage)
    documents = root / "objects" / PREFIX / "documents"

    async def peak(number: int) -> int:
        tracemalloc.start()
        try:
            async for page in storage.list(PREFIX):
                number -= len(page)
            assert number == 0
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def fill(start: int, stop: int) -> None:
        for number in range(start, stop):
            directory = documents / f"x{number}"
            directory.mkdir()
            os.link(root / "objects" / PATH, directory / "a.txt")

    fill(1, 2000)
    few = await peak(2000)
    fill(2000, 12_000)
    assert await peak(12_000) < few * 1.2


@pytest.mark.parametrize("content", [b"", b"half\n", b"\xff\xfe"], ids=["empty", "other", "not UTF-8"])
async def test_a_foreign_mark_is_read_as_it_is_and_never_treated_as_missing(
    storage: FilesystemStorage, root: Path, content: bytes
) -> None:
    (root / "deployment").write_bytes(content)
    assert await storage.read_mark() == content.decode(errors="replace").removesuffix("\n")
    assert not await storage.write_mark("mine", replace=False)


@pytest.mark.parametrize(
    "act",
    [
        lambda storage: storage.delete([PATH]),
        lambda storage: keys(storage),
        lambda storage: storage.discard_unfinished(PREFIX, LATER),
    ],
    ids=["delete", "list", "discard_unfinished"],
)
async def test_a_failing_disk_is_unavailable(
    storage: FilesystemStorage, monkeypatch: pytest.MonkeyPatch, act: Callable[[FilesystemStorage], Awaitable[object]]
) -> None:
    await put(storage)

    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "scandir", failing)
    monkeypatch.setattr(Path, "unlink", failing)
    with pytest.raises(Unavailable, match="input/output error"):
        await act(storage)
    monkeypatch.undo()
    assert await storage.write(terms(), pieces(b"other")) == AlreadyStored()
