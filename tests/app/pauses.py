"""The pauses of a background job, which a test ends one by one."""

import asyncio
from dataclasses import dataclass, field

from tests.clock import StillClock


@dataclass
class Pauses:
    """Replaces `asyncio.sleep`. A job stays in its pause until the test ends it; then the clock advances by the
    pause."""

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
        """End `count` pauses, one after the other. Return when the job has reached its next pause."""
        for _ in range(count):
            await self.end()
            await self._begun.acquire()
            self._begun.release()
