"""The times at which API keys were last used. Requests note them in memory, and a background task writes them to the
database."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import TypeVar

from domain.ids import ApiKeyId, WorkspaceId
from ports.api_keys import ApiKeys, ApiKeyUse
from ports.system import Unavailable

PRECISION = timedelta(minutes=1)
"""If a use of an API key was noted, further uses within this time are not noted."""

WRITE_SECONDS = 5.0
"""The interval between two writes."""

LAST_WRITE_SECONDS = 1.0
"""The longest time for which the last write may delay the shutdown of the server."""

KEYS_MAX = 10_000

_Value = TypeVar("_Value")

Pause = Callable[[float], Awaitable[None]]

log = logging.getLogger("dossier.keys")


class BufferedApiKeyUses:
    """An `ApiKeyUses` that writes all uses together every few seconds, in one call. All its callers must run in one
    event loop.

    If a write fails, its uses are written with the next ones, unless a newer use of the same API key has replaced them.
    A process that is killed loses the uses of a few seconds. If more than `keys_max` API keys are in use at a time, the
    oldest uses are dropped.
    """

    def __init__(self, keys: ApiKeys, pause: Pause = asyncio.sleep, keys_max: int = KEYS_MAX) -> None:
        self._keys = keys
        self._pause = pause
        self._keys_max = keys_max
        # For each API key, oldest first: the time from which the next use is noted, and the uses that are not written
        # yet. They are no plain dicts, because a dict needs 17 us to find its first entry after many deletions.
        self._due: OrderedDict[ApiKeyId, datetime] = OrderedDict()
        self._new: OrderedDict[ApiKeyId, ApiKeyUse] = OrderedDict()
        self._fails = False

    def note(self, key: ApiKeyId, workspace: WorkspaceId, at: datetime) -> None:
        due = self._due.get(key)
        if due is None or at >= due:
            self._put(self._due, key, at + PRECISION)
            self._put(self._new, key, ApiKeyUse(workspace, key, at))

    @asynccontextmanager
    async def written_regularly(self) -> AsyncIterator[None]:
        """Write in the background until the end of the block, and once more at its end, for at most a second."""
        task = asyncio.create_task(self._write_regularly())
        try:
            yield
        finally:
            task.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WRITE_SECONDS):
                    await asyncio.wait([task])
                    await self._write()

    async def _write_regularly(self) -> None:
        while True:
            await self._pause(WRITE_SECONDS)
            await self._write()

    async def _write(self) -> None:
        # The order is the same in every process. Otherwise two processes could deadlock on the rows of the same API
        # keys.
        uses = sorted(self._new.values(), key=lambda use: use.key_id)
        if not uses:
            return
        try:
            await self._keys.record_uses(uses)
        # An outage is logged once, not every few seconds.
        except Unavailable as error:
            if not self._fails:
                log.error("the last uses of API keys cannot be stored, and are retried: %s", error)
            self._fails = True
        # Any other error must not end the task: it is logged with its traceback, and the next write may succeed.
        except Exception:
            if not self._fails:
                log.exception("the last uses of API keys cannot be stored, and are retried")
            self._fails = True
        else:
            self._fails = False
            # The uses are removed only after the write, so that a failed or cancelled write loses no use. If a newer
            # use of an API key was noted meanwhile, it stays.
            for use in uses:
                if self._new.get(use.key_id) is use:
                    del self._new[use.key_id]

    def _put(self, kept: OrderedDict[ApiKeyId, _Value], key: ApiKeyId, value: _Value) -> None:
        """Insert an entry at the end, which keeps the order of age. If there are too many entries, drop the oldest."""
        kept[key] = value
        kept.move_to_end(key)
        if len(kept) > self._keys_max:
            kept.popitem(last=False)
