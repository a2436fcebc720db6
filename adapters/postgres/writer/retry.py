"""The retries of failed calls.

If a connection breaks, the call may have committed, or may still commit. The writer cannot know. So it sends the same
documents again, with the same ids, and the database recognises those that it has recorded
(`DocumentRepository.create`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from adapters.postgres.writer.lane import TOGETHER_MAX, Lane, Pending
from domain.ids import WorkspaceId
from ports.system import Unavailable

log = logging.getLogger("dossier.postgres")

PAUSE_SECONDS = 0.05
PAUSE_MAX_SECONDS = 0.5

Pause = Callable[[float], Awaitable[object]]


class Retries:
    """The failures of one lane since its last successful call."""

    def __init__(self, workspace: WorkspaceId, lane: Lane, pause: Pause = asyncio.sleep) -> None:
        self._workspace = workspace
        self._lane = lane
        self._pause = pause
        self._failures = 0

    def succeeded(self) -> None:
        """Reset the count of failures."""
        self._failures = 0

    async def retry(self, batch: Sequence[Pending], error: Unavailable) -> None:
        """Put a batch back into the lane, because its call may succeed later, and pause.

        The batch is first in the lane again. But a create that failed alone becomes the last, so that it delays no
        other create.
        """
        log.warning("%s: %d creates failed and are retried: %s", self._workspace, len(batch), error)
        for create in batch:
            create.failures += 1
        if len(batch) > 1:
            self._lane.put_first(batch)
        else:
            self._lane.put_last(batch[0])
        self._failures += 1
        # The first failure usually is a broken connection, and another connection of the pool works at once.
        if self._failures > 1:
            await self._pause(min(PAUSE_SECONDS * 2 ** min(self._failures - 2, 10), PAUSE_MAX_SECONDS))

    def isolate(self, batch: Sequence[Pending], error: Exception) -> None:
        """Fail the create if it was alone in the call. Otherwise give each create of the batch a call of its own, to
        find the one that causes the error."""
        if len(batch) == 1:
            batch[0].fail(error)
            self._lane.forget(batch[0])
            return
        for create in batch:
            create.failures = TOGETHER_MAX
        self._lane.put_first(batch)
