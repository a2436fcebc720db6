"""Promises 14 and 15: during an outage of Valkey, requests are decided soon, against a share of the limit."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.throttle.timeout import StallTolerantTimeout
from domain.rate_limits import Window
from ports.system import Unavailable
from tests.clock import StillClock
from tests.throttle.observing import SHARES, Observed, observed
from tests.throttle.outages import OUTAGES, Outage, outage_named

PLAN = (Window(10, 60), Window(100, 86_400))
AT = StillClock()()


@pytest.fixture(params=OUTAGES)
async def outage(request: pytest.FixtureRequest) -> AsyncIterator[Outage]:
    async with outage_named(request.param) as outage:
        yield outage


async def admitted(observer: Observed, subject: str, requests: int) -> int:
    verdicts = await asyncio.gather(*(observer.limiter.acquire(subject, PLAN, AT) for _ in range(requests)))
    return sum(verdict.admitted for verdict in verdicts)


async def test_an_outage_delays_one_request_then_a_share_of_the_limit_applies(outage: Outage, subject: str) -> None:
    async with observed(outage.url) as observer:
        assert await admitted(observer, subject, 4) == 4
        await outage.begin()
        # Another subject, because Valkey may have counted a request whose response was lost.
        other = f"{subject}:other"
        async with StallTolerantTimeout(0.05):
            assert (await observer.limiter.acquire(other, PLAN, AT)).admitted
        # The later requests together take less time than Valkey has to answer one.
        async with StallTolerantTimeout(0.02):
            assert 1 + await admitted(observer, other, 13) == 10 // SHARES
        assert len(observer.fallbacks) == 14
        (message,) = observer.messages
        assert f"1/{SHARES}" in message

        await outage.end()
        await observer.recovery()
        assert await admitted(observer, subject, 12) == (10 if outage.loses_counts else 6)
        assert len(observer.fallbacks) == 14
        assert len(observer.messages) == 2


async def test_an_outage_is_reported_without_traffic_and_prevents_no_start(outage: Outage, subject: str) -> None:
    async with observed(outage.url) as observer:
        await observer.limiter.probe()
        await outage.begin()
        with pytest.raises(Unavailable):
            await observer.limiter.probe()
    async with observed(outage.url) as observer:
        assert len(observer.messages) == 1
        await observer.limiter.acquire(subject, PLAN, AT)
        await outage.end()
        await observer.recovery()
        await observer.limiter.probe()
        await observer.limiter.acquire(subject, PLAN, AT)
        assert len(observer.fallbacks) == 1
