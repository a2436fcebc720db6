"""One of several processes that count together. Run by test_many_processes.py."""

import asyncio
import sys

import uvloop

from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.throttle.limiter import open_valkey_limiter
from domain.rate_limits import Window
from tests.clock import StillClock


async def main(url: str, subject: str, limit: int, requests: int) -> None:
    """Wait for a line of input; then print how many requests were admitted, and how many the fallback decided."""
    fallbacks: list[None] = []
    at = StillClock()()
    windows = (Window(limit, 60), Window(10 * limit, 86_400))
    async with open_valkey_limiter(
        url, fallback=MemoryRateLimiter(), shares=4, on_fallback=lambda: fallbacks.append(None), budget_seconds=10
    ) as limiter:
        print("open", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        admitted = 0
        # In many calls, so that those of the other processes come in between.
        for _ in range(requests // 10):
            verdicts = await asyncio.gather(*(limiter.acquire(subject, windows, at) for _ in range(10)))
            admitted += sum(verdict.admitted for verdict in verdicts)
        print(admitted, len(fallbacks), flush=True)  # noqa: T201


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
