"""What `RateLimiter` promises."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.throttle.limiter import open_valkey_limiter
from domain.rate_limits import Verdict, Window
from ports.rate_limit import RateLimiter
from tests.clock import StillClock
from tests.valkey import ValkeyServer

MINUTE, DAY = 60, 86_400
PLAN = (Window(3, MINUTE), Window(5, DAY))

_numbers = itertools.count(1)


def never() -> None:
    raise AssertionError("Valkey was there")


@pytest.fixture(scope="session")
async def on_valkey(valkey: ValkeyServer) -> AsyncIterator[RateLimiter]:
    """Nothing is decided without Valkey, however little of the machine it gets."""
    async with open_valkey_limiter(
        valkey.url, fallback=MemoryRateLimiter(), shares=1, on_fallback=never, budget_seconds=10
    ) as limiter:
        yield limiter


@pytest.fixture(params=["memory", "valkey"])
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    """Each adapter."""
    return MemoryRateLimiter() if request.param == "memory" else request.getfixturevalue("on_valkey")


@pytest.fixture
def a() -> str:
    """A subject nobody else counts: Valkey is shared by all tests."""
    return new_subject()


def new_subject() -> str:
    return f"subject-{next(_numbers)}"


async def test_the_window_with_the_fewest_left_is_told(limiter: RateLimiter, a: str) -> None:
    clock = StillClock()
    minute, day = PLAN[0].end(clock()), PLAN[1].end(clock())
    reported = [await limiter.acquire(a, PLAN, clock()) for _ in range(3)]
    assert reported == [Verdict(True, 3, left, minute, 0) for left in (2, 1, 0)]
    clock.advance(minutes=1)
    assert await limiter.acquire(a, PLAN, clock()) == Verdict(True, 5, 1, day, 0)


async def test_a_refused_request_uses_nothing_up(limiter: RateLimiter, a: str) -> None:
    clock = StillClock()
    for _ in range(3):
        await limiter.acquire(a, PLAN, clock())
    clock.advance(seconds=15)
    for _ in range(10):
        assert await limiter.acquire(a, PLAN, clock()) == Verdict(False, 3, 0, PLAN[0].end(clock()), 45)
    clock.advance(seconds=45)
    admitted = [(await limiter.acquire(a, PLAN, clock())).admitted for _ in range(3)]
    assert admitted == [True, True, False]


async def test_requests_refused_together_use_nothing_up_either(limiter: RateLimiter, a: str) -> None:
    clock = StillClock()
    together = await asyncio.gather(*(limiter.acquire(a, PLAN, clock()) for _ in range(20)))
    assert [verdict.remaining for verdict in together if verdict.admitted] == [2, 1, 0]
    clock.advance(minutes=1)
    together = await asyncio.gather(*(limiter.acquire(a, PLAN, clock()) for _ in range(20)))
    assert [verdict.remaining for verdict in together if verdict.admitted] == [1, 0]


async def test_requests_that_come_together_are_decided_in_their_order(limiter: RateLimiter, a: str) -> None:
    # The plan is changed between them: each is decided by its own, on what those before it have used.
    at = StillClock()()
    plans = [(Window(limit, MINUTE),) for limit in (2, 2, 5, 5, 2, 4, 9)]
    verdicts = await asyncio.gather(*(limiter.acquire(a, plan, at) for plan in plans))
    assert [verdict.admitted for verdict in verdicts] == [True, True, True, True, False, False, True]
    assert [verdict.remaining for verdict in verdicts] == [1, 0, 2, 1, 0, 0, 4]


async def test_retry_after_waits_for_every_window_that_refused(limiter: RateLimiter, a: str) -> None:
    clock = StillClock()
    both = (Window(1, MINUTE), Window(1, DAY))
    await limiter.acquire(a, both, clock())
    verdict = await limiter.acquire(a, both, clock())
    assert verdict.retry_after == Window(1, DAY).end(clock()) - int(clock().timestamp())


async def test_nothing_less_than_nothing_is_left_when_the_limit_is_lowered(limiter: RateLimiter, a: str) -> None:
    clock = StillClock()
    for _ in range(3):
        await limiter.acquire(a, (Window(3, MINUTE),), clock())
    verdict = await limiter.acquire(a, (Window(1, MINUTE),), clock())
    assert (verdict.admitted, verdict.remaining) == (False, 0)


async def test_subjects_are_counted_apart(limiter: RateLimiter, a: str) -> None:
    clock, b = StillClock(), new_subject()
    one = (Window(1, MINUTE),)
    assert (await limiter.acquire(a, one, clock())).admitted
    assert (await limiter.acquire(b, one, clock())).admitted
    assert not (await limiter.acquire(a, one, clock())).admitted


async def test_windows_begin_at_whole_minutes_and_days_of_utc(limiter: RateLimiter, a: str) -> None:
    clock = StillClock(datetime(2026, 4, 17, 23, 58, 59, tzinfo=UTC))
    one, two = (Window(1, MINUTE), Window(2, DAY)), new_subject()
    assert (await limiter.acquire(a, one, clock())).admitted
    clock.advance(seconds=1)
    assert (await limiter.acquire(a, one, clock())).admitted
    clock.advance(seconds=59.999)
    verdict = await limiter.acquire(a, one, clock())
    assert (verdict.admitted, verdict.retry_after) == (False, 1)
    assert (await limiter.acquire(two, one, clock())).admitted
    clock.advance(seconds=0.001)
    assert clock() == datetime(2026, 4, 18, tzinfo=UTC)
    assert (await limiter.acquire(a, one, clock())).admitted


async def test_of_many_at_once_exactly_the_limit_is_admitted(limiter: RateLimiter, a: str) -> None:
    clock = StillClock()
    verdicts = await asyncio.gather(*(limiter.acquire(a, (Window(100, MINUTE),), clock()) for _ in range(400)))
    assert sum(verdict.admitted for verdict in verdicts) == 100


# No two windows are equally long: settings refuse that.
PLANS = st.lists(
    st.builds(Window, st.integers(1, 6), st.sampled_from((7, MINUTE, 3600, DAY))),
    min_size=1,
    max_size=3,
    unique_by=lambda window: window.seconds,
).map(tuple)

# Short steps most of all, some to the very end of a window, some over days.
STEPS = st.one_of(
    st.just(0.0), st.floats(0, 5), st.sampled_from((1.0, 7.0, 59.0, 60.0, 61.0, 3600.0)), st.floats(0, 2.5 * DAY)
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(
        st.tuples(st.sampled_from("ab"), PLANS, STEPS, st.integers(1, 5)),
        min_size=1,
        max_size=30,
    )
)
async def test_memory_and_valkey_answer_the_same(
    on_valkey: RateLimiter, calls: list[tuple[str, tuple[Window, ...], float, int]]
) -> None:
    clock, memory = StillClock(), MemoryRateLimiter()
    names = {name: new_subject() for name in "ab"}
    for name, plan, step, burst in calls:
        clock.advance(seconds=step)
        reported = await asyncio.gather(*(on_valkey.acquire(names[name], plan, clock()) for _ in range(burst)))
        assert list(reported) == [await memory.acquire(names[name], plan, clock()) for _ in range(burst)]


@settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    plan=PLANS,
    begins=st.integers(0, DAY),
    pauses=st.lists(st.one_of(st.just(0.0), STEPS).map(int), min_size=1, max_size=40),
)
async def test_who_believes_the_headers_is_never_refused_and_never_waits_for_nothing(
    limiter: RateLimiter, plan: tuple[Window, ...], begins: int, pauses: list[int]
) -> None:
    clock, a = StillClock(datetime(2026, 4, 17, tzinfo=UTC) + timedelta(seconds=begins)), new_subject()
    for pause in pauses:
        clock.advance(seconds=pause)
        reported = await limiter.acquire(a, plan, clock())
        assert reported.admitted
        wait = reported.reset - int(clock().timestamp())
        assert wait >= 1
        if reported.remaining == 0:
            # Whoever does not wait is told the same, now and in the last second.
            for waited, passes in ((wait, wait - 1), (1, 1)):
                refused = await limiter.acquire(a, plan, clock())
                assert refused == Verdict(False, reported.limit, 0, reported.reset, waited)
                clock.advance(seconds=passes)
