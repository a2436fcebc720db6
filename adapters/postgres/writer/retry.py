"""The retries of failed calls: which writes are sent again, and when.

A call that failed may have committed, or may still commit: a cut connection tells the writer neither. Only the database
knows. The writer asks it by sending the same writes again, with the same ids (`DocumentRepository`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic

from adapters.postgres.not_begun import NotBegun
from adapters.postgres.writer.lane import Lane, Write
from domain.wording import counted
from ports.system import Unavailable

log = logging.getLogger("dossier.postgres")

PAUSE_SECONDS = 0.05
PAUSE_MAX_SECONDS = 0.5

Pause = Callable[[float], Awaitable[object]]


class Retries(Generic[Write]):
    """The failures of one lane since its last call that succeeded."""

    def __init__(self, name: Hashable, lane: Lane[Write], pause: Pause = asyncio.sleep) -> None:
        self._name = name
        self._lane = lane
        self._pause = pause
        self._failures = 0
        # The writes that were marked as suspects since the last call that succeeded.
        self._blamed: frozenset[Write] = frozenset()

    def succeeded(self) -> None:
        """Reset the count of failures, and let the calls grow."""
        if self._failures:
            self._failures = 0
            self._blamed = frozenset()
        self._lane.grow()

    async def retry(self, batch: Sequence[Write], error: Unavailable) -> None:
        """Put a batch back whose call may succeed later, and pause."""
        log.warning("%s: a call of %s failed and is retried: %s", self._name, counted(len(batch), "write"), error)
        for write in batch:
            write.failures += 1
        if isinstance(error, NotBegun):
            self._lane.put_back(batch)
        else:
            self._blame(batch)
        self._failures += 1
        # The first failure usually is a broken connection, and another connection of the pool works at once.
        if self._failures > 1:
            await self._pause(min(PAUSE_SECONDS * 2 ** min(self._failures - 2, 10), PAUSE_MAX_SECONDS))

    def isolate(self, batch: Sequence[Write], error: Exception) -> None:
        """Fail the write if it went alone, else halve the calls of its batch until the bad write goes alone."""
        if len(batch) == 1:
            batch[0].fail(error)
            self._lane.forget(batch[0])
        else:
            self._lane.suspect(batch)

    def _blame(self, batch: Sequence[Write]) -> None:
        """Make the writes of a failed call suspects. Acquit earlier ones that this failure clears."""
        if len(batch) == 1 and batch[0].is_suspect:
            # The suspect failed alone, which says nothing about the others.
            self._lane.suspect(batch)
            return
        self._lane.shrink()
        # If two calls fail one after the other and have no write in common, no single write causes both failures.
        if self._blamed.isdisjoint(batch):
            self._lane.acquit(self._blamed)
            self._blamed = frozenset()
        self._lane.suspect(batch)
        self._blamed = self._blamed.union(batch)
