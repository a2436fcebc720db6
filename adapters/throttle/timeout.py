"""A timeout that ignores stalls of our own event loop."""

import asyncio
from types import TracebackType

TICK_SECONDS = 0.005


class StallTolerantTimeout:
    """`async with StallTolerantTimeout(seconds)` raises TimeoutError once the event loop has run for that time.

    A loop stalls during garbage collection, a burst of work, or while another process has its core. After a stall, the
    loop runs its expired timers before it reads a response that arrived in time. So the time is measured in ticks, and
    a late tick counts like any other. Between two ticks, the loop reads the responses that have arrived.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self.elapsed = 0.0

    async def __aenter__(self) -> "StallTolerantTimeout":
        await self._timeout.__aenter__()
        self._last = self._loop.time()
        self._schedule()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._count()
        await self._timeout.__aexit__(kind, failure, trace)

    def _schedule(self) -> None:
        self._timer = self._loop.call_later(min(TICK_SECONDS, self._seconds - self.elapsed), self._tick)

    def _tick(self) -> None:
        self._count()
        if self.elapsed < self._seconds:
            self._schedule()
        else:
            self._timeout.reschedule(self._loop.time())

    def _count(self) -> None:
        now = self._loop.time()
        self.elapsed += min(now - self._last, TICK_SECONDS)
        self._last = now
