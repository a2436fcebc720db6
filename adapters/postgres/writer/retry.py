"""The retries of failed calls: which writes are sent again, and when.

A call that failed may have committed, or may still commit: a cut connection tells the writer neither. Only the database
knows. The writer asks it by sending the same writes again, with the same ids (`DocumentRepository`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic

from adapters.postgres.writer.lane import TOGETHER_MAX, Lane, Write
from domain.ids import WorkspaceId
from ports.system import Unavailable

log = logging.getLogger("dossier.postgres")

PAUSE_SECONDS = 0.05
PAUSE_MAX_SECONDS = 0.5

Pause = Callable[[float], Awaitable[object]]


class Retries(Generic[Write]):
    """The failures of one lane since its last call that succeeded."""

    def __init__(self, workspace: WorkspaceId, lane: Lane[Write], pause: Pause = asyncio.sleep) -> None:
        self._workspace = workspace
        self._lane = lane
        self._pause = pause
        self._failures = 0

    def succeeded(self) -> None:
        """Reset the count of failures."""
        self._failures = 0

    async def retry(self, batch: Sequence[Write], error: Unavailable) -> None:
        """Put a batch back whose call may succeed later, and pause.

        A batch goes first again. A write that failed alone goes last, so that it delays no other.
        """
        log.warning("%s: %d writes failed and are retried: %s", self._workspace, len(batch), error)
        for write in batch:
            write.failures += 1
        if len(batch) > 1:
            self._lane.put_first(batch)
        else:
            self._lane.put_last(batch[0])
        self._failures += 1
        # The first failure usually is a broken connection, and another connection of the pool works at once.
        if self._failures > 1:
            await self._pause(min(PAUSE_SECONDS * 2 ** min(self._failures - 2, 10), PAUSE_MAX_SECONDS))

    def isolate(self, batch: Sequence[Write], error: Exception) -> None:
        """Fail the write if it went alone, else let each write of the batch go alone to find the bad one."""
        if len(batch) == 1:
            batch[0].fail(error)
            self._lane.forget(batch[0])
            return
        for write in batch:
            write.failures = TOGETHER_MAX
        self._lane.put_first(batch)
