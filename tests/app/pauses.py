"""The pauses of a background job, which a test ends one by one."""

import asyncio
from dataclasses import dataclass, field

from tests.clock import StillClock


@dataclass
class Pauses:
    """Replaces `asyncio.sleep`: the job stands still until the test ends its pause, and the clock moves on by then."""

    clock: StillClock
    lengths: list[float] = field(default_factory=list)
    _begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    _ended: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def __call__(self, seconds: float) -> None:
        self.lengths.append(seconds)
        self._begun.release()
        await self._ended.acquire()
        self.clock.advance(seconds=seconds)

    async def end(self) -> None:
        """End the pause of the job, as soon as it has begun."""
        await self._begun.acquire()
        self._ended.release()

    async def turn(self, count: int = 1) -> None:
        """End so many pauses, and return when the work after the last one is done: at the next pause."""
        for _ in range(count):
            await self.end()
            await self._begun.acquire()
            self._begun.release()
