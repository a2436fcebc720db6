"""A time limit that measures how long others take, not how long we do."""

import asyncio
from types import TracebackType

TICK_SECONDS = 0.005


class Patience:
    """`async with Patience(seconds)`: TimeoutError inside once that much has passed while our own loop ran.

    A loop that was held up (garbage, a burst of work, a core given to somebody else) finds its timers due before it
    has read the answer that came in time. So the time is told in ticks, and one that comes late counts as any other:
    between two of them, the loop has looked at what has come.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self.spent = 0.0

    async def __aenter__(self) -> "Patience":
        await self._timeout.__aenter__()
        self._last = self._loop.time()
        self._wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._count()
        await self._timeout.__aexit__(kind, failure, trace)

    def _wait(self) -> None:
        self._timer = self._loop.call_later(min(TICK_SECONDS, self._seconds - self.spent), self._tick)

    def _tick(self) -> None:
        self._count()
        if self.spent < self._seconds:
            self._wait()
        else:
            self._timeout.reschedule(self._loop.time())

    def _count(self) -> None:
        now = self._loop.time()
        self.spent += min(now - self._last, TICK_SECONDS)
        self._last = now
