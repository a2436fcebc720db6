"""While Valkey is away, requests are decided without it: soon, against a share of the limit, and for no longer."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from domain.rate_limits import Verdict, Window
from ports.system import Unavailable
from tests.clock import StillClock
from tests.throttle.listening import SHARES, Observed, Stopwatch, observed
from tests.throttle.outages import OUTAGES, Outage, outage_named

ADDED_SECONDS = 0.05
PLAN = (Window(10, 60), Window(100, 86_400))
SHARE = 10 // SHARES
AT = StillClock()()


@pytest.fixture(params=OUTAGES)
async def outage(request: pytest.FixtureRequest) -> AsyncIterator[Outage]:
    async with outage_named(request.param) as outage:
        yield outage


@pytest.fixture
async def watched(outage: Outage) -> AsyncIterator[Observed]:
    async with observed(outage.url) as watched:
        yield watched


async def admitted(watched: Observed, subject: str, requests: int) -> int:
    verdicts = await asyncio.gather(*(watched.limiter.acquire(subject, PLAN, AT) for _ in range(requests)))
    return sum(verdict.admitted for verdict in verdicts)


def at_once(request: Coroutine[Any, Any, Verdict]) -> Verdict:
    """What becomes of a request that waits for nothing."""
    try:
        request.send(None)
    except StopIteration as decided:
        verdict: Verdict = decided.value
        return verdict
    request.close()
    raise AssertionError("it waits")


async def test_a_request_waits_a_moment_and_those_after_it_not_at_all(
    outage: Outage, watched: Observed, subject: str
) -> None:
    await watched.limiter.acquire(subject, PLAN, AT)
    await outage.begin()
    with Stopwatch() as first:
        await watched.limiter.acquire(subject, PLAN, AT)
    assert first.seconds < ADDED_SECONDS
    assert len(watched.alone) == 1
    for _ in range(200):
        at_once(watched.limiter.acquire(subject, PLAN, AT))
    assert len(watched.alone) == 201


async def test_without_valkey_exactly_the_share_of_the_limit_is_admitted_counted_and_told_once(
    outage: Outage, watched: Observed, subject: str
) -> None:
    assert await admitted(watched, subject, 4) == 4
    await outage.begin()
    assert await admitted(watched, subject, 7) == SHARE
    assert await admitted(watched, subject, 7) == 0
    assert len(watched.alone) == 14
    assert len(watched.heard.said) == 1
    assert f"1/{SHARES}" in watched.heard.said[0]


async def test_it_is_back_by_itself_and_then_counts_where_it_had_stopped(
    outage: Outage, watched: Observed, subject: str
) -> None:
    assert await admitted(watched, subject, 4) == 4
    await outage.begin()
    assert await admitted(watched, f"{subject}:other", 1) == 1
    await outage.end()
    await watched.until_back()
    assert await admitted(watched, subject, 12) == (10 if outage.loses_counts else 6)
    assert len(watched.alone) == 1
    assert len(watched.heard.said) == 2


async def test_readiness_knows_without_traffic(outage: Outage, watched: Observed) -> None:
    await watched.limiter.probe()
    await outage.begin()
    with pytest.raises(Unavailable):
        await watched.limiter.probe()
    await outage.end()
    await watched.until_back()
    await watched.limiter.probe()


async def test_it_opens_while_valkey_is_away(outage: Outage, subject: str) -> None:
    await outage.begin()
    async with observed(outage.url) as watched:
        assert len(watched.heard.said) == 1
        at_once(watched.limiter.acquire(subject, PLAN, AT))
        assert len(watched.alone) == 1
        await outage.end()
        await watched.until_back()
        await watched.limiter.acquire(subject, PLAN, AT)
        assert len(watched.alone) == 1


async def test_it_ends_while_valkey_is_away(outage: Outage, subject: str) -> None:
    async with observed(outage.url) as watched:
        await outage.begin()
        await watched.limiter.acquire(subject, PLAN, AT)
    assert len(watched.alone) == 1
