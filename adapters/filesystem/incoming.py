"""Bytes on their way in: until they are whole and on the disk, they lie where no object is looked for."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from typing import BinaryIO

from domain.ids import WorkspaceId
from domain.paths import StoragePath, workspace_prefix

_PIECE = 1024 * 1024


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
    sha256, size, waiting = hashlib.sha256(), 0, bytearray()

    def write() -> None:
        sha256.update(waiting)
        file.write(waiting)

    async for piece in content:
        waiting += piece
        size += len(piece)
        if len(waiting) >= _PIECE:
            await asyncio.to_thread(write)
            waiting.clear()
        if announced is not None and size > announced:
            break
    await asyncio.to_thread(write)
    return size, sha256.hexdigest()
