"""What `RateLimiter` promises."""

import asyncio

import pytest

from adapters.memory.rate_limit import MemoryRateLimiter
from domain.access import Window
from ports.rate_limit import RateLimiter, Verdict
from tests.clock import StillClock

MINUTE, DAY = 60, 86_400
PLAN = (Window(3, MINUTE), Window(5, DAY))


@pytest.fixture(params=["memory"])
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    return MemoryRateLimiter()


async def test_the_window_with_the_fewest_left_is_told(limiter: RateLimiter) -> None:
    clock = StillClock()
    minute, day = PLAN[0].end(clock()), PLAN[1].end(clock())
    told = [await limiter.acquire("a", PLAN, clock()) for _ in range(3)]
    assert told == [Verdict(True, 3, left, minute, 0) for left in (2, 1, 0)]
    clock.advance(minutes=1)
    assert await limiter.acquire("a", PLAN, clock()) == Verdict(True, 5, 1, day, 0)


async def test_a_refused_request_uses_nothing_up(limiter: RateLimiter) -> None:
    clock = StillClock()
    for _ in range(3):
        await limiter.acquire("a", PLAN, clock())
    clock.advance(seconds=15)
    for _ in range(10):
        assert await limiter.acquire("a", PLAN, clock()) == Verdict(False, 3, 0, PLAN[0].end(clock()), 45)
    clock.advance(seconds=45)
    admitted = [(await limiter.acquire("a", PLAN, clock())).admitted for _ in range(3)]
    assert admitted == [True, True, False]


async def test_retry_after_waits_for_every_window_that_refused(limiter: RateLimiter) -> None:
    clock = StillClock()
    both = (Window(1, MINUTE), Window(1, DAY))
    await limiter.acquire("a", both, clock())
    verdict = await limiter.acquire("a", both, clock())
    assert verdict.retry_after == Window(1, DAY).end(clock()) - int(clock().timestamp())


async def test_nothing_less_than_nothing_is_left_when_the_limit_is_lowered(limiter: RateLimiter) -> None:
    clock = StillClock()
    for _ in range(3):
        await limiter.acquire("a", (Window(3, MINUTE),), clock())
    verdict = await limiter.acquire("a", (Window(1, MINUTE),), clock())
    assert (verdict.admitted, verdict.remaining) == (False, 0)


async def test_subjects_are_counted_apart(limiter: RateLimiter) -> None:
    clock = StillClock()
    one = (Window(1, MINUTE),)
    assert (await limiter.acquire("a", one, clock())).admitted
    assert (await limiter.acquire("b", one, clock())).admitted
    assert not (await limiter.acquire("a", one, clock())).admitted


async def test_windows_begin_at_whole_minutes_and_days_of_utc(limiter: RateLimiter) -> None:
    clock = StillClock()
    clock.advance(seconds=59)
    one = (Window(1, MINUTE),)
    assert (await limiter.acquire("a", one, clock())).admitted
    clock.advance(seconds=1)
    assert (await limiter.acquire("a", one, clock())).admitted


async def test_of_many_at_once_exactly_the_limit_is_admitted(limiter: RateLimiter) -> None:
    clock = StillClock()
    verdicts = await asyncio.gather(*(limiter.acquire("a", (Window(100, MINUTE),), clock()) for _ in range(400)))
    assert sum(verdict.admitted for verdict in verdicts) == 100
