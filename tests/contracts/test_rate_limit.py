"""The guarantees of `RateLimiter`."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.memory.rate_limit import MemoryRateLimiter
from domain.rate_limits import Verdict, Window
from ports.rate_limit import RateLimiter
from tests.clock import StillClock
from tests.crash.scale import SOAK

MINUTE, DAY = 60, 86_400
PLAN = (Window(3, MINUTE), Window(5, DAY))


def new_subject() -> str:
    """Return a subject that no other test counts."""
    return f"subject-{uuid4()}"


@pytest.fixture
def a() -> str:
    return new_subject()


async def test_the_verdict_describes_the_window_with_the_fewest_requests_left(limiter: RateLimiter, a: str) -> None:
    clock = StillClock()
    minute, day = PLAN[0].end(clock()), PLAN[1].end(clock())
    verdicts = [await limiter.acquire(a, PLAN, clock()) for _ in range(3)]
    assert verdicts == [Verdict(True, 3, left, minute, 0) for left in (2, 1, 0)]
    clock.advance(minutes=1)
    assert await limiter.acquire(a, PLAN, clock()) == Verdict(True, 5, 1, day, 0)


async def test_a_refused_request_is_not_counted(limiter: RateLimiter, a: str) -> None:
    clock = StillClock()
    for _ in range(3):
        await limiter.acquire(a, PLAN, clock())
    clock.advance(seconds=15)
    for _ in range(10):
        assert await limiter.acquire(a, PLAN, clock()) == Verdict(False, 3, 0, PLAN[0].end(clock()), 45, PLAN[0])
    clock.advance(seconds=45)
    admitted = [(await limiter.acquire(a, PLAN, clock())).admitted for _ in range(3)]
    assert admitted == [True, True, False]


async def test_after_a_refusal_further_refusals_are_known_until_the_window_ends(limiter: RateLimiter, a: str) -> None:
    clock, b = StillClock(), new_subject()
    for _ in range(3):
        assert not limiter.refuses(a, PLAN, clock())
        await limiter.acquire(a, PLAN, clock())
    await limiter.acquire(a, PLAN, clock())
    clock.advance(seconds=59)
    assert [limiter.refuses(subject, PLAN, clock()) for subject in (a, b)] == [True, False]
    assert not limiter.refuses(a, (Window(4, MINUTE),), clock())
    clock.advance(seconds=1)
    assert not limiter.refuses(a, PLAN, clock())


async def test_windows_begin_at_whole_minutes_and_days_of_utc(limiter: RateLimiter, a: str) -> None:
    clock = StillClock(datetime(2026, 4, 17, 23, 58, 59, tzinfo=UTC))
    one, b = (Window(1, MINUTE), Window(2, DAY)), new_subject()
    assert (await limiter.acquire(a, one, clock())).admitted
    clock.advance(seconds=1)
    assert (await limiter.acquire(a, one, clock())).admitted
    clock.advance(seconds=59.999)
    verdict = await limiter.acquire(a, one, clock())
    assert (verdict.admitted, verdict.retry_after) == (False, 1)
    assert (await limiter.acquire(b, one, clock())).admitted
    clock.advance(seconds=0.001)
    assert clock() == datetime(2026, 4, 18, tzinfo=UTC)
    assert (await limiter.acquire(a, one, clock())).admitted


async def test_of_many_requests_at_once_exactly_the_limit_is_admitted(limiter: RateLimiter, a: str) -> None:
    clock, plan = StillClock(), (Window(100, MINUTE), Window(150, DAY))
    for remaining in (range(99, -1, -1), range(49, -1, -1)):
        verdicts = await asyncio.gather(*(limiter.acquire(a, plan, clock()) for _ in range(400)))
        assert [verdict.remaining for verdict in verdicts if verdict.admitted] == [*remaining]
        clock.advance(minutes=1)


# The settings refuse two windows of equal length.
PLANS = st.lists(
    st.builds(Window, st.integers(1, 6), st.sampled_from((7, MINUTE, 3600, DAY))),
    min_size=1,
    max_size=3,
    unique_by=lambda window: window.seconds,
).map(tuple)

# Most steps are short, some go to the very end of a window, some over days.
STEPS = st.one_of(
    st.just(0.0), st.floats(0, 5), st.sampled_from((1.0, 7.0, 59.0, 60.0, 61.0, 3600.0)), st.floats(0, 2.5 * DAY)
)


@settings(max_examples=1000 if SOAK else 60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(st.tuples(st.sampled_from("ab"), PLANS, STEPS, st.integers(1, 5)), min_size=1, max_size=30),
)
async def test_memory_and_valkey_give_the_same_verdicts(
    valkey_limiter: RateLimiter, calls: list[tuple[str, tuple[Window, ...], float, int]]
) -> None:
    clock, memory = StillClock(), MemoryRateLimiter()
    subjects = {name: new_subject() for name in "ab"}
    for name, plan, step, burst in calls:
        clock.advance(seconds=step)
        found = await asyncio.gather(*(valkey_limiter.acquire(subjects[name], plan, clock()) for _ in range(burst)))
        assert list(found) == [await memory.acquire(subjects[name], plan, clock()) for _ in range(burst)]


@settings(max_examples=2000 if SOAK else 100)
@given(
    plan=PLANS,
    begins=st.integers(0, DAY),
    pauses=st.lists(st.one_of(st.just(0.0), STEPS).map(int), min_size=1, max_size=20),
)
async def test_a_client_that_obeys_the_headers_is_never_refused_and_never_waits_longer_than_needed(
    plan: tuple[Window, ...], begins: int, pauses: list[int]
) -> None:
    """This test uses only the limiter in memory, because the test above proves that Valkey gives the same verdicts."""
    clock, limiter = StillClock(datetime(2026, 4, 17, tzinfo=UTC) + timedelta(seconds=begins)), MemoryRateLimiter()
    for pause in pauses:
        clock.advance(seconds=pause)
        verdict = await limiter.acquire("a", plan, clock())
        assert verdict.admitted
        wait = verdict.reset - int(clock().timestamp())
        assert wait >= 1
        if verdict.remaining == 0:
            # A request that comes too early is refused and names the same end of the window, whether it comes at once
            # or one second before that end.
            for waited, passes in ((wait, wait - 1), (1, 1)):
                refused = await limiter.acquire("a", plan, clock())
                by = refused.refused_by
                assert refused == Verdict(False, verdict.limit, 0, verdict.reset, waited, by)
                assert by is not None
                assert (by.limit, by.end(clock())) == (verdict.limit, verdict.reset)
                clock.advance(seconds=passes)
