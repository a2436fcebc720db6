"""The objects of documents that were deleted just now. Requests note them, and a background task deletes them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from adapters.in_process.background import in_background
from domain.paths import StoragePath
from ports.storage import ObjectStorage
from ports.system import Unavailable

WAITING_MAX = 10_000
"""The most objects that wait for the task. The others wait for the sweeper."""

_AT_ONCE = 100

log = logging.getLogger("dossier.deletions")


class QueuedDeletions:
    """A `Deletions` that deletes objects as soon as it can, in the order of the notes.

    The sweeper deletes all objects that the store does not delete now, and those of a process that ends.
    """

    def __init__(self, storage: ObjectStorage) -> None:
        self._storage = storage
        self._waiting = asyncio.Queue[StoragePath](WAITING_MAX)
        self._fails = False

    def note(self, path: StoragePath) -> None:
        with suppress(asyncio.QueueFull):
            self._waiting.put_nowait(path)

    @asynccontextmanager
    async def performed(self) -> AsyncIterator[None]:
        """Delete in the background until the end of the block."""
        async with in_background(self._perform()):
            yield

    async def _perform(self) -> None:
        while True:
            paths = [await self._waiting.get()]
            while len(paths) < _AT_ONCE and not self._waiting.empty():
                paths.append(self._waiting.get_nowait())
            try:
                await self._storage.delete(paths)
                self._fails = False
            # An outage is logged once.
            except Unavailable as error:
                if not self._fails:
                    log.warning("the sweeper deletes the objects of deleted documents later: %s", error)
                self._fails = True
            # A bug must not prevent the next deletions, and the sweeper repeats this one.
            except Exception:
                log.exception("the sweeper deletes the objects of deleted documents later")
