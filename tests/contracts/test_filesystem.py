"""What only a directory can suffer: its volume goes missing, its disk fails or is full, others put files into it."""

import errno
import os
import stat
import tracemalloc
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.filesystem.storage import FilesystemStorage
from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.checks import Grade
from ports.storage import AlreadyStored, DownloadTerms, UploadTerms
from ports.system import Unavailable
from tests.contracts.test_linked_storage import pieces

PATH = StoragePath("workspaces/ws_1/documents/01/a.txt")
PREFIX = "workspaces/ws_1/"
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def terms(path: str = PATH) -> UploadTerms:
    return UploadTerms(path=StoragePath(path), mime_type="text/plain", size_bytes=None, sha256=None)


async def put(storage: FilesystemStorage, path: str = PATH, content: bytes = b"kept") -> StoredObject:
    stored = await storage.write(terms(path), pieces(content))
    assert isinstance(stored, StoredObject)
    return stored


async def keys(storage: FilesystemStorage, prefix: str = PREFIX) -> set[str]:
    return {one.key async for page in storage.list(prefix) for one in page}


@pytest.mark.parametrize("what_is_left", ["nothing", "an empty mount point"])
async def test_a_volume_that_is_gone_is_unavailable_and_nothing_is_put_in_its_place(
    storage: FilesystemStorage, root: Path, what_is_left: str
) -> None:
    stored = await put(storage)
    assert await storage.write_mark("mine", replace=False)
    root.rename(root.with_name("elsewhere"))
    if what_is_left == "an empty mount point":
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
    (finding,) = await storage.run_checks()
    assert finding.grade is Grade.FAILED
    assert str(root) in finding.found
    assert not root.exists() or list(root.iterdir()) == []

    if root.exists():
        root.rmdir()
    root.with_name("elsewhere").rename(root)
    await storage.probe()
    assert await storage.stat(PATH) == stored
    assert await storage.read_mark() == "mine"


async def test_a_file_system_on_which_a_link_replaces_a_file_is_refused(
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
    assert [finding.grade for finding in await storage.run_checks()] == [Grade.FAILED]


async def test_a_file_system_that_does_not_tell_upper_from_lower_case_is_refused(
    storage: FilesystemStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # There, whoever looks for one name finds the other.
    monkeypatch.setattr("adapters.filesystem.storage.new_name", lambda: "probe")
    (root / "objects/.PROBE-PROBE").touch()
    for attempt in (storage.prepare(), storage.probe()):
        with pytest.raises(Unavailable, match="does not tell upper case from lower case"):
            await attempt


async def test_a_directory_among_the_unfinished_uploads_holds_up_nothing(
    storage: FilesystemStorage, root: Path
) -> None:
    (root / "incoming/lost+found").mkdir()
    (root / "incoming/old").touch()
    assert await storage.discard_unfinished(PREFIX, datetime.now(UTC) + timedelta(days=1)) == 1
    assert (root / "incoming/lost+found").is_dir()


async def test_a_full_disk_takes_no_files_but_serves_those_it_has(
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


async def test_a_delete_takes_the_directory_of_a_document_and_none_above_it(
    storage: FilesystemStorage, root: Path
) -> None:
    deep = StoragePath("workspaces/ws_1/documents/02/deep/down/b.txt")
    for path in (PATH, deep, StoragePath("workspaces/ws_1/top.txt")):
        await put(storage, path)
        await storage.delete([path])
    for kind in ("objects", "checksums"):
        left = {str(found.relative_to(root / kind)) for found in (root / kind).rglob("*")}
        assert left == {"workspaces", "workspaces/ws_1", "workspaces/ws_1/documents"}


async def test_symbolic_links_are_neither_followed_nor_listed_nor_taken_for_objects(
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


async def test_files_with_names_that_are_no_text_are_listed_so_that_they_can_be_printed(
    storage: FilesystemStorage, root: Path
) -> None:
    await put(storage)
    for name in (b"caf\xe9", b"new\nline", "ü".encode()):
        (root / "objects" / PREFIX / os.fsdecode(name)).write_bytes(b"x")
    found = await keys(storage)
    assert found == {PATH, f"{PREFIX}caf\\xe9", f"{PREFIX}new\nline", f"{PREFIX}ü"}
    "".join(found).encode()


async def test_a_listing_takes_the_same_memory_for_any_number_of_files(storage: FilesystemStorage, root: Path) -> None:
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


@pytest.mark.parametrize("content", [b"", b"half\n", b"\xff\xfe"], ids=["empty", "other", "no text"])
async def test_a_mark_that_is_not_ours_is_read_as_it_is_and_never_taken_for_none(
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
async def test_a_disk_that_fails_is_unavailable(
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
