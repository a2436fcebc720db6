"""What a limiter does besides its verdicts: what it logs, what it counts, and how long it takes."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.throttle.limiter import BUDGET_SECONDS, ValkeyRateLimiter, open_valkey_limiter

SHARES = 4
PATIENCE_SECONDS = 3
"""How soon a limiter must be back by itself."""


class Heard(logging.Handler):
    """What it says of going and coming back."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.back = asyncio.Event()
        self.gone = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        (self.back if self.said[-1].endswith("again") else self.gone).set()


@dataclass(slots=True)
class Observed:
    """A limiter, and what is seen of it."""

    limiter: ValkeyRateLimiter
    heard: Heard
    alone: list[None] = field(default_factory=list)
    """One for each decision without Valkey."""

    async def until_back(self) -> float:
        """How long that took, in seconds."""
        began = time.perf_counter()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.heard.back.wait()
        return time.perf_counter() - began


@asynccontextmanager
async def observed(url: str, budget_seconds: float = BUDGET_SECONDS) -> AsyncIterator[Observed]:
    """A limiter on the server of that URL, for as long as the block lasts."""
    heard = Heard()
    logger = logging.getLogger("dossier.throttle")
    logger.addHandler(heard)
    alone: list[None] = []
    try:
        async with open_valkey_limiter(
            url,
            fallback=MemoryRateLimiter(),
            shares=SHARES,
            budget_seconds=budget_seconds,
            on_fallback=lambda: alone.append(None),
        ) as limiter:
            yield Observed(limiter, heard, alone)
    finally:
        logger.removeHandler(heard)


class Stopwatch:
    """`with` it: `seconds` took the block, without what this process' own loop was held up.

    The machine of a test has other things to do.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> "Stopwatch":
        self._loop = asyncio.get_running_loop()
        self._held_up = 0.0
        self._began = self._loop.time()
        self._timer = self._loop.call_at(self._began, self._tick, self._began)
        return self

    def __exit__(self, *failure: object) -> None:
        self._timer.cancel()
        self.seconds = self._loop.time() - self._began - self._held_up

    def _tick(self, due: float) -> None:
        now = self._loop.time()
        # The granularity of its timers is no stall.
        if now - due > 0.003:
            self._held_up += now - due
        self._timer = self._loop.call_at(now + 0.001, self._tick, now + 0.001)
