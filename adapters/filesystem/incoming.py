"""Receives an upload into a file outside the directory of objects, so that no reader finds it before it is complete."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from adapters.filesystem.files import try_lock
from domain.ids import WorkspaceId
from domain.paths import StoragePath, workspace_prefix
from ports.system import Unavailable

_PIECE = 1024 * 1024
_FLUSH_EVERY = 16 * 1024 * 1024


def new_name(path: StoragePath | None = None) -> str:
    """Return a new file name for an upload to this path, or for a temporary file of the deployment itself."""
    random = secrets.token_hex(16)
    return random if path is None else f"{path.split('/')[1]}.{random}"


@asynccontextmanager
async def locked(incoming: Path, path: StoragePath) -> AsyncIterator[bool]:
    """Try to lock the uploads to this path for the block, against all processes of this machine; yield whether it is.

    Raises:
        Unavailable: the lock cannot be created.
    """
    workspace, digest = path.split("/")[1], hashlib.sha256(path.encode()).hexdigest()[:32]
    name = incoming / f"{workspace}.{digest}"
    try:
        lock = await asyncio.to_thread(try_lock, name)
    except OSError as error:
        raise Unavailable(f"cannot store {path}: {error}") from error
    if lock is None:
        yield False
        return
    try:
        yield True
    finally:
        # In this order: a process that locks the removed file finds that it has lost its name.
        with suppress(OSError):
            name.unlink()
        os.close(lock)


def is_below(prefix: str, name: str) -> bool:
    """Return whether a file is discarded when the unfinished uploads to this prefix are discarded.

    A file name without a workspace belongs to a probe, to a claim mark, or to an upload of an early version of Dossier.
    No upload continues such a file, so it is discarded with every prefix.
    """
    workspace = name.rpartition(".")[0]
    return not workspace or workspace_prefix(WorkspaceId(workspace)).startswith(prefix)


async def receive(file: BinaryIO, content: AsyncIterator[bytes], announced: int | None) -> tuple[int, str]:
    """Write the content in pieces of about 1 MiB.

    Return its size and SHA-256 (hex). Stop soon after the content exceeds the declared size.
    """
    sha256, size, flushed = hashlib.sha256(), 0, 0
    waiting, writing = bytearray(), None

    def write(piece: bytearray) -> None:
        nonlocal flushed
        sha256.update(piece)
        file.write(piece)
        if file.tell() - flushed >= _FLUSH_EVERY:
            file.flush()
            flushed = _start_writeback(file, flushed)

    try:
        async for piece in content:
            waiting += piece
            size += len(piece)
            if len(waiting) >= _PIECE:
                if writing is not None:
                    await writing
                # One piece is hashed and written while the next one is received.
                writing, waiting = asyncio.ensure_future(asyncio.to_thread(write, waiting)), bytearray()
            if announced is not None and size > announced:
                break
    finally:
        # Wait for the thread even if the upload breaks off, because the caller then closes the file.
        if writing is not None:
            await writing
    await asyncio.to_thread(write, waiting)
    return size, sha256.hexdigest()


def _start_writeback(file: BinaryIO, start: int) -> int:
    """Start writing the new bytes to the disk, so that the final flush has less to do. Return the offset at which they
    end."""
    stop = file.tell()
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), start, stop - start, os.POSIX_FADV_DONTNEED)
    return stop
