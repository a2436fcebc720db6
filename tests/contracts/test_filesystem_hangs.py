"""A directory on a file system that hangs: nothing waits for it longer than its time limit, and it recovers at once."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from adapters.filesystem import threads
from adapters.filesystem.disks import LocalDisks
from adapters.filesystem.storage import FilesystemStorage, is_prepared
from adapters.filesystem.threads import _Crew
from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.checks import Grade
from ports.storage import DownloadTerms
from ports.system import Unavailable
from tests.acceptance.hung_mount import HungMount
from tests.contracts.filesystem import PATH, PREFIX, keys, put, terms
from tests.contracts.stores import PUBLIC_URL, pieces

T = TypeVar("T")

LATER = datetime(2027, 1, 1, tzinfo=UTC)
RESCUE_SECONDS = 60


class Racing:
    """The module `time` of the threads. Between `begin` and `end`, their time limits are over in a thousandth of the
    time, and at any other time only on a machine that is stalled for seconds."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._began: float | None = None

    def monotonic(self) -> float:
        now = time.monotonic()
        return now + self._ahead + (0 if self._began is None else 1000 * (now - self._began))

    def begin(self) -> None:
        self._began = time.monotonic()

    def end(self) -> None:
        self._ahead, self._began = self.monotonic() - time.monotonic(), None


@pytest.fixture
def racing(monkeypatch: pytest.MonkeyPatch) -> Racing:
    racing = Racing()
    monkeypatch.setattr(threads, "time", racing)
    return racing


class Mount(HungMount):
    """A hung file system. While it is there, the time of the threads races."""

    def __init__(self, root: Path, racing: Racing) -> None:
        super().__init__(root)
        self._racing = racing
        racing.begin()

    def detach(self) -> None:
        self._racing.end()
        super().detach()


@pytest.fixture
def mount(root: Path, racing: Racing) -> Iterator[Callable[[], HungMount]]:
    """Mount the hung file system on `root`."""
    mounts: list[HungMount] = []

    def begin() -> HungMount:
        mounts.append(Mount(root, racing))
        return mounts[-1]

    def end() -> None:
        for made in mounts:
            made.end()

    # If an access hangs in the event loop, this ends the mount, so that the test fails instead of hanging too.
    rescue = threading.Timer(RESCUE_SECONDS, end)
    rescue.start()
    yield begin
    was_rescued = not rescue.is_alive()
    rescue.cancel()
    end()
    assert not was_rescued, "the event loop was stopped"


def download(stored: StoredObject) -> DownloadTerms:
    return DownloadTerms(path=PATH, stored=stored, mime_type="text/plain", disposition="attachment")


async def read(storage: FilesystemStorage, stored: StoredObject) -> bytes:
    return b"".join([piece async for piece in storage.read(download(stored), 0, stored.size_bytes)])


async def receive(storage: FilesystemStorage) -> bool:
    async with storage.receiving(PATH) as is_alone:
        return is_alone


async def recovered(call: Callable[[], Awaitable[T]]) -> T:
    """Return the result of a call that works again as soon as the threads that hung have returned."""
    async with asyncio.timeout(RESCUE_SECONDS):
        while True:
            with suppress(Unavailable):
                return await call()
            await asyncio.sleep(0)


async def eventually(holds: Callable[[], bool]) -> None:
    """Return as soon as `holds` returns true."""
    async with asyncio.timeout(RESCUE_SECONDS):
        while True:
            if holds():
                return
            await asyncio.sleep(0)


CALLS: dict[str, Callable[[FilesystemStorage, StoredObject], Awaitable[object]]] = {
    "stat": lambda storage, _: storage.stat(PATH),
    "find": lambda storage, _: storage.find(PATH),
    "sign_download": lambda storage, stored: storage.sign_download(download(stored), LATER),
    "prepare": lambda storage, _: storage.prepare(),
    "probe": lambda storage, _: storage.probe(),
    "list": lambda storage, _: keys(storage),
    "delete": lambda storage, _: storage.delete([PATH]),
    "discard_unfinished": lambda storage, _: storage.discard_unfinished(PREFIX, LATER),
    "read_mark": lambda storage, _: storage.read_mark(),
    "write_mark": lambda storage, _: storage.write_mark("other", replace=True),
    "receiving": lambda storage, _: receive(storage),
    "write": lambda storage, _: storage.write(terms(f"{PREFIX}new"), pieces(b"new")),
    "read": read,
}


@pytest.mark.parametrize("call", CALLS)
async def test_every_call_ends_while_the_mount_hangs_and_works_as_soon_as_it_is_back(
    storage: FilesystemStorage, mount: Callable[[], HungMount], call: str
) -> None:
    stored = await put(storage)
    await storage.write_mark("mine", replace=False)
    hung = mount()
    # More calls than there are threads: the first ones wait until the time limit, and then all are refused at once.
    for _ in range(2):
        ended = await asyncio.gather(*(CALLS[call](storage, stored) for _ in range(20)), return_exceptions=True)
        assert {type(error) for error in ended} == {Unavailable}
    hung.end()
    # The mark that was given up is not written afterwards by the threads that hung.
    assert await recovered(storage.read_mark) == "mine"
    await recovered(lambda: CALLS[call](storage, stored))


async def test_a_hung_mount_is_reported_and_its_free_space_is_unknown(
    storage: FilesystemStorage, mount: Callable[[], HungMount], racing: Racing, root: Path, tmp_path: Path
) -> None:
    disks = LocalDisks({"object store": root, "database": tmp_path}, 1)
    mount()
    (result,) = await storage.run_checks()
    assert (result.grade, "the file system hangs" in result.found) == (Grade.FAILED, True)
    with pytest.raises(Unavailable, match="the file system hangs"):
        await is_prepared(root)
    racing.end()
    assert (await disks.free_bytes()).keys() == {"database"}
    await disks.probe()
    assert not await disks.are_full(1)


async def test_an_upload_that_the_mount_interrupts_leaves_nothing(
    storage: FilesystemStorage, mount: Callable[[], HungMount], root: Path
) -> None:
    hung: list[HungMount] = []

    async def interrupted() -> AsyncIterator[bytes]:
        yield b"x" * 2**20
        hung.append(mount())
        yield b"y"

    with pytest.raises(Unavailable, match="the file system hangs"):
        await storage.write(terms(), interrupted())
    hung[0].end()
    stored = await recovered(lambda: put(storage, content=b"again"))
    assert await storage.stat(PATH) == stored
    await eventually(lambda: list((root / "incoming").iterdir()) == [])


class Pipes:
    """Named pipes in the place of checksums. Opening one hangs until `end`."""

    def __init__(self, root: Path, paths: list[StoragePath]) -> None:
        self._files = [root / "checksums" / path for path in paths]
        for file in self._files:
            file.unlink()
            os.mkfifo(file)

    def end(self) -> None:
        for file in self._files:
            # Without O_NONBLOCK, this would hang if nothing has opened the pipe to read.
            with suppress(OSError):
                os.close(os.open(file, os.O_WRONLY | os.O_NONBLOCK))


async def test_a_file_that_hangs_delays_no_other_until_every_thread_hangs(
    storage: FilesystemStorage, root: Path, racing: Racing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "SPARE_THREADS", 1)
    paths = [StoragePath(f"{PREFIX}{number}") for number in range(5)]
    for path in paths:
        await put(storage, path)
    stored = await put(storage)
    pipes = Pipes(root, paths)
    try:
        for path in paths:
            hangs = asyncio.create_task(storage.stat(path))
            assert await storage.stat(PATH) == stored
            assert not hangs.done()
            racing.begin()
            with pytest.raises(Unavailable, match="the file system hangs"):
                await hangs
            racing.end()
        for attempt in (storage.stat(PATH), storage.probe()):
            with pytest.raises(Unavailable, match="all threads"):
                await attempt
        # Other kinds of operations have threads of their own.
        assert await read(storage, stored) == b"kept"
        assert await keys(storage) == {PATH, *paths}
    finally:
        pipes.end()
    assert await recovered(lambda: storage.stat(PATH)) == stored


async def test_a_mount_that_was_replaced_is_used_although_the_threads_on_the_former_one_never_return(
    storage: FilesystemStorage, mount: Callable[[], HungMount], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "SPARE_SECONDS", 0.1)
    stored = await put(storage)
    hung = mount()
    attempts = [storage.stat(PATH) for _ in range(20)]
    assert {type(error) for error in await asyncio.gather(*attempts, return_exceptions=True)} == {Unavailable}
    hung.detach()
    assert await recovered(lambda: storage.stat(PATH)) == stored
    assert await asyncio.gather(*(storage.stat(PATH) for _ in range(20))) == [stored] * 20


STOP = """
import asyncio, sys
from pathlib import Path
from adapters.filesystem.storage import FilesystemStorage

async def stop():
    storage = FilesystemStorage(Path(sys.argv[1]), "http://files.test", bytes(32))
    hangs = asyncio.create_task(storage.stat(sys.argv[2]))
    await asyncio.wait([hangs], timeout=0.1)
    assert not hangs.done()

asyncio.run(stop())
"""


async def test_a_process_ends_although_a_thread_hangs(storage: FilesystemStorage, root: Path) -> None:
    await put(storage)
    pipes = Pipes(root, [PATH])
    try:
        process = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", STOP, str(root), PATH], check=False, timeout=RESCUE_SECONDS
        )
        assert process.returncode == 0
    finally:
        pipes.end()


async def test_the_threads_end_with_their_storage(root: Path) -> None:
    storage = FilesystemStorage(root, PUBLIC_URL, b"secret" * 8)
    before = {*threading.enumerate()}
    await storage.prepare()
    own = {*threading.enumerate()} - before
    assert own
    del storage
    await eventually(lambda: own.isdisjoint(threading.enumerate()))


def test_the_event_loop_does_not_block_for_operations_that_a_thread_has_taken_already() -> None:
    """The thread would report their end to the blocked loop: 300 downloads at once stopped the server for good."""
    blocked = threading.Thread(target=_Crew(1).do_all_within, args=(0.001,), daemon=True)
    blocked.start()
    blocked.join(5)
    assert not blocked.is_alive()
