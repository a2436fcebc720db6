"""The effects of a limiter other than its verdicts: its log, its fallbacks, and its time to recover."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.throttle.limiter import BUDGET_SECONDS, ValkeyRateLimiter, open_valkey_limiter

SHARES = 4
RECOVERY_SECONDS = 3
"""The time in which a limiter must use Valkey again."""


class Observed(logging.Handler):
    """A limiter, its log, and one entry for each request that the fallback decided."""

    limiter: ValkeyRateLimiter

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.fallbacks: list[None] = []
        self._recovered = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        if self.messages[-1].endswith("again"):
            self._recovered.set()

    async def recovery(self) -> float:
        """Wait until Valkey is used again, and return how many seconds that took."""
        began = time.perf_counter()
        async with asyncio.timeout(RECOVERY_SECONDS):
            await self._recovered.wait()
        return time.perf_counter() - began


@asynccontextmanager
async def observed(url: str, budget_seconds: float = BUDGET_SECONDS) -> AsyncIterator[Observed]:
    """Open a limiter on that server for the `with` block."""
    logger, observer = logging.getLogger("dossier.throttle"), Observed()
    logger.addHandler(observer)
    try:
        async with open_valkey_limiter(
            url,
            fallback=MemoryRateLimiter(),
            shares=SHARES,
            budget_seconds=budget_seconds,
            on_fallback=lambda: observer.fallbacks.append(None),
        ) as observer.limiter:
            yield observer
    finally:
        logger.removeHandler(observer)
