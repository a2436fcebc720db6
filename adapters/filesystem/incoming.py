"""Receives an upload into a file outside the directory of objects, so that no reader finds it before it is complete."""

import asyncio
import hashlib
import os
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from adapters.filesystem.files import try_lock
from adapters.filesystem.threads import Threads
from domain.ids import WorkspaceId
from domain.paths import StoragePath, workspace_prefix

T = TypeVar("T")

_PIECE = 1024 * 1024
_FLUSH_EVERY = 16 * 1024 * 1024


class GivenUp(OSError):
    """The upload was given up while a thread was still busy with its file."""

    def __init__(self) -> None:
        super().__init__("the upload was given up")


def new_name(path: StoragePath | None = None) -> str:
    """Return a new file name for an upload to this path, or for a temporary file of the deployment itself."""
    random = secrets.token_hex(16)
    return random if path is None else f"{path.split('/')[1]}.{random}"


class UploadLock:
    """Locks the uploads to a path, against all processes of this machine."""

    def __init__(self, incoming: Path, path: StoragePath) -> None:
        workspace, digest = path.split("/")[1], hashlib.sha256(path.encode()).hexdigest()[:32]
        self._file = incoming / f"{workspace}.{digest}"
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Return whether the path was free, and is locked now.

        Raises:
            OSError: the lock cannot be created.
        """
        self._descriptor = try_lock(self._file)
        return self._descriptor is not None

    def release(self) -> None:
        """Release the lock, if it is held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # In this order: a process that locks the removed file finds that it has lost its name.
            with suppress(OSError):
                self._file.unlink()
            os.close(descriptor)


def is_below(prefix: str, name: str) -> bool:
    """Return whether a file is discarded when the unfinished uploads to this prefix are discarded.

    A file name without a workspace belongs to a probe, to a claim mark, or to an upload of an early version of Dossier.
    No upload continues such a file, so it is discarded with every prefix.
    """
    workspace = name.rpartition(".")[0]
    return not workspace or workspace_prefix(WorkspaceId(workspace)).startswith(prefix)


class Incoming:
    """The file of an upload in progress.

    One thread uses the file at a time. `discard` never waits: if a thread hangs with the file, that one removes the
    file when it returns.
    """

    def __init__(self, file: Path) -> None:
        self.path = file
        self._file: BinaryIO | None = None
        self._used = threading.Lock()
        self._is_discarded = False
        self._sha256 = hashlib.sha256()
        self._flushed = 0

    @property
    def sha256(self) -> str:
        """The SHA-256 (hex) of the bytes so far."""
        return self._sha256.hexdigest()

    def create(self) -> None:
        """Create the file, which must be done first."""
        self.use(lambda _: None)

    def write(self, piece: bytearray) -> None:
        """Append a piece."""

        def write(file: BinaryIO) -> None:
            self._sha256.update(piece)
            file.write(piece)
            if file.tell() - self._flushed >= _FLUSH_EVERY:
                file.flush()
                self._flushed = _start_writeback(file, self._flushed)

        self.use(write)

    def use(self, act: Callable[[BinaryIO], T]) -> T:
        """Return what `act` returns for the open file.

        Raises:
            GivenUp: the file is discarded.
            OSError: as `act` does.
        """
        try:
            with self._used:
                self.require_kept()
                if self._file is None:
                    self._file = open(self.path, "xb")  # noqa: SIM115  closed by `discard`
                return act(self._file)
        finally:
            if self._is_discarded:
                self.discard()

    def require_kept(self) -> None:
        """Return if the file is not discarded.

        Raises:
            GivenUp: the file is discarded.
        """
        if self._is_discarded:
            raise GivenUp

    def discard(self) -> None:
        """Close and remove the file, now or as soon as the thread that uses it has ended. Repeating it is safe."""
        self._is_discarded = True
        if not self._used.acquire(blocking=False):
            return
        try:
            file, self._file = self._file, None
            if file is not None:
                with suppress(OSError):
                    file.close()
                with suppress(OSError):
                    self.path.unlink()
        finally:
            self._used.release()


async def receive(
    incoming: Incoming, content: AsyncIterator[bytes], announced: int | None, threads: Threads, piece_seconds: float
) -> int:
    """Write the content in pieces of about 1 MiB. Return its size. Stop soon after it exceeds the declared size.

    Raises:
        Unavailable: a piece was not written within `piece_seconds`.
    """
    size, waiting = 0, bytearray()
    writing: asyncio.Future[None] | None = None
    try:
        async for piece in content:
            waiting += piece
            size += len(piece)
            if len(waiting) >= _PIECE:
                if writing is not None:
                    await writing
                # One piece is hashed and written while the next one is received.
                writing = asyncio.ensure_future(threads.run(partial(incoming.write, waiting), piece_seconds))
                waiting = bytearray()
            if announced is not None and size > announced:
                break
    except asyncio.CancelledError:
        # At the end of the server, a hung thread is not waited for.
        if writing is not None:
            writing.cancel()
        raise
    finally:
        # Also if the upload breaks off, because its file is removed next.
        if writing is not None:
            await asyncio.wait([writing])
    if writing is not None:
        await writing
    await threads.run(partial(incoming.write, waiting), piece_seconds)
    return size


def _start_writeback(file: BinaryIO, start: int) -> int:
    """Start writing the new bytes to the disk, so that the final flush has less to do. Return the offset at which they
    end."""
    stop = file.tell()
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), start, stop - start, os.POSIX_FADV_DONTNEED)
    return stop
