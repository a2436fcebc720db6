"""Bytes on their way in: until they are whole and on the disk, they lie where no object is looked for."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from typing import BinaryIO

from domain.ids import WorkspaceId
from domain.paths import StoragePath, workspace_prefix

_PIECE = 1024 * 1024
_FLUSH_EVERY = 16 * 1024 * 1024


def new_name(path: StoragePath | None = None) -> str:
    """A new name of a file for an upload to this path, or for something of the deployment's own."""
    chance = secrets.token_hex(16)
    return chance if path is None else f"{path.split('/')[1]}.{chance}"


def is_below(prefix: str, name: str) -> bool:
    """Whether it may be thrown away with the uploads to this prefix.

    What names no workspace is of a probe, of a mark, or of a version that gave no names: nobody comes back for it.
    """
    workspace = name.rpartition(".")[0]
    return not workspace or workspace_prefix(WorkspaceId(workspace)).startswith(prefix)


async def receive(file: BinaryIO, content: AsyncIterator[bytes], announced: int | None) -> tuple[int, str]:
    """Write what comes, in pieces of about 1 MiB, but not much more than was announced; its size and SHA-256."""
    sha256, size, flushed = hashlib.sha256(), 0, 0
    waiting, writing = bytearray(), None

    def write(piece: bytearray) -> None:
        nonlocal flushed
        sha256.update(piece)
        file.write(piece)
        if file.tell() - flushed >= _FLUSH_EVERY:
            file.flush()
            flushed = _begin_writing_out(file, flushed)

    try:
        async for piece in content:
            waiting += piece
            size += len(piece)
            if len(waiting) >= _PIECE:
                if writing is not None:
                    await writing
                # One piece is hashed and written while the next comes in.
                writing, waiting = asyncio.ensure_future(asyncio.to_thread(write, waiting)), bytearray()
            if announced is not None and size > announced:
                break
    finally:
        # Also when the upload breaks off: nobody closes the file under the thread.
        if writing is not None:
            await writing
    await asyncio.to_thread(write, waiting)
    return size, sha256.hexdigest()


def _begin_writing_out(file: BinaryIO, start: int) -> int:
    """Let the disk begin with what has come since, instead of with all of it in the end; where that has come to."""
    stop = file.tell()
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), start, stop - start, os.POSIX_FADV_DONTNEED)
    return stop
