"""When keys were last used: noted in memory by every request, written to where keys are kept outside of all of them."""

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
"""A use so soon after one that was noted is passed over."""

WRITE_SECONDS = 5.0
"""How long a use that was noted waits to be written, with all others."""

LAST_WRITE_SECONDS = 1.0
"""How long the last write may hold up the end of the server."""

KEYS_MAX = 10_000

_T = TypeVar("_T")

Pause = Callable[[float], Awaitable[None]]

log = logging.getLogger("dossier.keys")


class BufferedApiKeyUses:
    """`UsesOfKeys` that are written together every few seconds, in one call. Of one event loop.

    What could not be written is written with the next uses, a newer use of the same key instead of it. A process that
    is killed loses those of a few seconds. Of more than `keys_max` keys at a time, the oldest uses are not written.
    """

    def __init__(self, keys: ApiKeys, pause: Pause = asyncio.sleep, keys_max: int = KEYS_MAX) -> None:
        self._keys = keys
        self._pause = pause
        self._keys_max = keys_max
        # By key, the oldest first: from when on a use is worth a note, and the uses that are not written yet. A plain
        # dictionary takes its time (17 us) to find its first entry once many before it were deleted.
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
        """Write in the background until the end of the block, and there once more, if it takes no longer than a
        second."""
        task = asyncio.create_task(self._go_on())
        try:
            yield
        finally:
            task.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WRITE_SECONDS):
                    await asyncio.wait([task])
                    await self._write()

    async def _go_on(self) -> None:
        while True:
            await self._pause(WRITE_SECONDS)
            await self._write()

    async def _write(self) -> None:
        # In one order in every process: else two that write the same keys could wait for each other in the database.
        uses = sorted(self._new.values(), key=lambda use: use.key_id)
        if not uses:
            return
        try:
            await self._keys.record_uses(uses)
        # Told once, not every few seconds; and whatever it is, it must not keep the next uses from being written.
        except Unavailable as error:
            if not self._fails:
                log.error("when keys were last used is not written: %s", error)
            self._fails = True
        except Exception:
            if not self._fails:
                log.exception("when keys were last used is not written")
            self._fails = True
        else:
            self._fails = False
            # Only now, so that a write that fails or is cut off loses none. A use that came meanwhile is a newer one.
            for use in uses:
                if self._new.get(use.key_id) is use:
                    del self._new[use.key_id]

    def _put(self, kept: OrderedDict[ApiKeyId, _T], key: ApiKeyId, value: _T) -> None:
        """As the youngest, so that the order stays that of age."""
        kept[key] = value
        kept.move_to_end(key)
        if len(kept) > self._keys_max:
            kept.popitem(last=False)
