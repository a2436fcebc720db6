"""What a limiter does besides its verdicts: its log, its fallbacks, and how long it takes."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.throttle.limiter import BUDGET_SECONDS, ValkeyRateLimiter, open_valkey_limiter

SHARES = 4
RECOVERY_SECONDS = 3
"""The time in which a limiter must use Valkey again."""


class LimiterLog(logging.Handler):
    """The messages about outages and recoveries."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.recovered = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        if self.messages[-1].endswith("again"):
            self.recovered.set()


@dataclass(slots=True)
class Observed:
    """A limiter, its log, and one entry for each request that the fallback decided."""

    limiter: ValkeyRateLimiter
    log: LimiterLog
    fallbacks: list[None] = field(default_factory=list)

    async def recovery(self) -> float:
        """Wait until Valkey is used again, and return how many seconds that took."""
        began = time.perf_counter()
        async with asyncio.timeout(RECOVERY_SECONDS):
            await self.log.recovered.wait()
        return time.perf_counter() - began


@asynccontextmanager
async def observed(url: str, budget_seconds: float = BUDGET_SECONDS) -> AsyncIterator[Observed]:
    """Open a limiter on that server for the block."""
    log = LimiterLog()
    logger = logging.getLogger("dossier.throttle")
    logger.addHandler(log)
    fallbacks: list[None] = []
    try:
        async with open_valkey_limiter(
            url,
            fallback=MemoryRateLimiter(),
            shares=SHARES,
            budget_seconds=budget_seconds,
            on_fallback=lambda: fallbacks.append(None),
        ) as limiter:
            yield Observed(limiter, log, fallbacks)
    finally:
        logger.removeHandler(log)


class Stopwatch:
    """Measures a block in `seconds`, without the stalls of this process' own loop: other programs share the machine."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> "Stopwatch":
        self._loop = asyncio.get_running_loop()
        self._stalled = 0.0
        self._began = self._loop.time()
        self._timer = self._loop.call_at(self._began, self._tick, self._began)
        return self

    def __exit__(self, *failure: object) -> None:
        self._timer.cancel()
        self.seconds = self._loop.time() - self._began - self._stalled

    def _tick(self, due: float) -> None:
        now = self._loop.time()
        # Below 3 ms, the difference is the granularity of timers.
        if now - due > 0.003:
            self._stalled += now - due
        self._timer = self._loop.call_at(now + 0.001, self._tick, now + 0.001)
