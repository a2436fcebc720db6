"""How requests share calls to Valkey, and what they leave there."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from random import Random

import pytest
import uvloop

from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.throttle.counters import LINGER_SECONDS, ValkeyCounters
from adapters.throttle.limiter import BUDGET_SECONDS, ValkeyRateLimiter
from adapters.throttle.location import valkey_location
from domain.rate_limits import Window
from tests.clock import StillClock
from tests.throttle.observing import Observed, Stopwatch, observed
from tests.throttle.outages import Fault, Relay, open_relay
from tests.valkey import ValkeyServer, open_valkey

PLAN = (Window(10, 60), Window(100, 86_400))
AT = StillClock()()


@pytest.fixture
async def server() -> AsyncIterator[ValkeyServer]:
    async with open_valkey() as server:
        yield server


@pytest.fixture
async def relay(server: ValkeyServer) -> AsyncIterator[Relay]:
    async with open_relay(server.socket) as relay:
        yield relay


@pytest.fixture
async def observer(relay: Relay) -> AsyncIterator[Observed]:
    async with observed(relay.url) as observer:
        yield observer


@pytest.fixture
async def patient(relay: Relay) -> AsyncIterator[Observed]:
    """A limiter whose budget no load of the machine exceeds."""
    async with observed(relay.url, budget_seconds=10) as observer:
        yield observer
        assert observer.fallbacks == []


async def script_calls(server: ValkeyServer) -> int:
    statistics = await server.run("INFO", "commandstats")
    return sum(
        int(line.partition("calls=")[2].partition(",")[0])
        for line in statistics.splitlines()
        if line.startswith("cmdstat_eval")
    )


async def test_a_lone_request_is_one_call_and_all_that_wait_during_a_call_share_the_next(
    server: ValkeyServer, relay: Relay, patient: Observed, subject: str
) -> None:
    before = await script_calls(server)
    await patient.limiter.acquire(subject, PLAN, AT)
    assert await script_calls(server) == before + 1
    async with asyncio.TaskGroup() as group:
        relay.received.clear()
        relay.held = asyncio.Event()
        group.create_task(patient.limiter.acquire(subject, PLAN, AT))
        await relay.received.wait()
        for number in range(50):
            group.create_task(patient.limiter.acquire(f"{subject}:{number % 7}", PLAN, AT))
        await asyncio.sleep(0)
        relay.held.set()
    assert await script_calls(server) == before + 3


async def test_requests_of_one_call_are_decided_as_if_one_by_one_in_order(patient: Observed, subject: str) -> None:
    random = Random(7)
    plans = [(Window(limit, 60), Window(2 * limit, 86_400)) for limit in (3, 5, 8)] + [(Window(4, 60),)]
    clock = StillClock()
    reference = MemoryRateLimiter()
    for _ in range(50):
        clock.advance(seconds=random.choice((0, 1, 20, 60, 40_000)))
        requests = [
            (f"{subject}:{random.randrange(3)}", random.choice(plans), clock()) for _ in range(random.randrange(1, 40))
        ]
        verdicts = await asyncio.gather(*(patient.limiter.acquire(*request) for request in requests))
        assert verdicts == [await reference.acquire(*request) for request in requests]


async def test_cancelling_a_request_removes_it_from_the_next_call_and_affects_no_other(
    server: ValkeyServer, relay: Relay, patient: Observed, subject: str
) -> None:
    async def begin(name: str) -> "asyncio.Task[object]":
        task = asyncio.create_task(patient.limiter.acquire(f"{subject}:{name}", (Window(2, 60),), AT))
        await asyncio.sleep(0)
        return task

    relay.received.clear()
    relay.held = asyncio.Event()
    sent, sent_too = await begin("a"), await begin("b")
    await relay.received.wait()
    waiting, waiting_too = await begin("c"), await begin("a")
    sent.cancel()
    waiting.cancel()
    await asyncio.gather(sent, waiting, return_exceptions=True)
    relay.held.set()
    await asyncio.gather(sent_too, waiting_too)
    assert sent.cancelled()
    assert waiting.cancelled()
    counted = {key.removeprefix(f"dossier:{subject}:")[0] for key in await server.keys() if subject in key}
    # The cancelled request that had been sent was counted, the waiting one was not.
    assert counted == {"a", "b"}
    assert (await patient.limiter.acquire(f"{subject}:a", (Window(2, 60),), AT)).admitted is False


async def test_every_key_has_our_prefix_and_expires_soon_after_its_window(
    server: ValkeyServer, patient: Observed, subject: str
) -> None:
    clock = StillClock()
    clock.advance(seconds=13)
    for _ in range(4):
        await patient.limiter.acquire(subject, PLAN, clock())
    lifetimes = {key: int((await server.run("TTL", key)).strip(":\r\n")) for key in await server.keys()}
    for window in PLAN:
        key = f"dossier:{subject}:{window.seconds}:{window.end(clock())}"
        left = window.end(clock()) - int(clock().timestamp()) + LINGER_SECONDS
        assert left - 10 < lifetimes[key] <= left
    assert all(0 < lifetime <= 86_400 + LINGER_SECONDS for lifetime in lifetimes.values())
    assert all(key.startswith("dossier:") for key in lifetimes)


async def test_a_restart_of_valkey_between_two_requests_is_no_outage(server: ValkeyServer, subject: str) -> None:
    async with observed(server.url, budget_seconds=10) as observer:
        await observer.limiter.acquire(subject, PLAN, AT)
        # Valkey also loses the script.
        await server.kill()
        await server.start()
        assert (await observer.limiter.acquire(subject, PLAN, AT)).remaining == 9
        await server.run("SCRIPT", "FLUSH")
        assert (await observer.limiter.acquire(subject, PLAN, AT)).remaining == 8
        assert observer.fallbacks == []
        assert observer.log.messages == []


async def test_limiters_that_share_a_valkey_admit_exactly_the_limit(server: ValkeyServer, subject: str) -> None:
    windows = (Window(100, 60), Window(1000, 86_400))

    async def admitted(observer: Observed) -> int:
        verdicts = []
        # In many calls, so that those of the other limiters come in between.
        for _ in range(20):
            verdicts += await asyncio.gather(*(observer.limiter.acquire(subject, windows, AT) for _ in range(10)))
        return sum(verdict.admitted for verdict in verdicts)

    async with AsyncExitStack() as stack:
        observers = [await stack.enter_async_context(observed(server.url, budget_seconds=10)) for _ in range(4)]
        assert sum(await asyncio.gather(*map(admitted, observers))) == 100
        assert not any(observer.fallbacks for observer in observers)


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
async def test_a_stall_of_our_own_event_loop_is_not_taken_for_an_outage(
    valkey: ValkeyServer, subject: str, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    fallbacks: list[None] = []
    location = valkey_location(valkey.url)

    async def stall_after(steps: int) -> bool:
        """Stall, and return whether the requests were decided before."""
        limiter = ValkeyRateLimiter(
            ValkeyCounters(location), MemoryRateLimiter(), 1, lambda: fallbacks.append(None), location.shown
        )
        requests = asyncio.gather(*(limiter.acquire(subject, PLAN, AT) for _ in range(3)))
        for _ in range(steps):
            await asyncio.sleep(0)
        is_decided = requests.done()
        time.sleep(2 * BUDGET_SECONDS)  # noqa: ASYNC251 - the stall
        await requests
        await limiter.aclose()
        return is_decided

    async def stall_at_every_step() -> None:
        # The steps are: connecting, sending, and reading the response.
        for steps in range(100):
            if await stall_after(steps):
                return

    def run() -> None:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(stall_at_every_step())

    await asyncio.to_thread(run)
    assert fallbacks == []


async def test_after_one_late_response_valkey_is_used_again_within_100_ms(
    relay: Relay, observer: Observed, subject: str
) -> None:
    relay.held = asyncio.Event()
    await observer.limiter.acquire(subject, PLAN, AT)
    relay.held.set()
    assert await observer.recovery() < 0.1
    assert (await observer.limiter.acquire(subject, PLAN, AT)).admitted
    assert len(observer.fallbacks) == 1


async def test_responses_that_are_only_just_in_time_do_not_make_the_limiter_alternate(
    relay: Relay, observer: Observed, subject: str
) -> None:
    await relay.fail(Fault.LATE)
    loop = asyncio.get_running_loop()
    ends = loop.time() + 0.6
    longest = 0.0

    async def client(pause: float) -> None:
        nonlocal longest
        while loop.time() < ends:
            with Stopwatch() as watch:
                await observer.limiter.acquire(subject, PLAN, AT)
            longest = max(longest, watch.seconds)
            await asyncio.sleep(pause)

    # With different pauses, requests also arrive during a call.
    await asyncio.gather(*(client(pause) for pause in (0.001, 0.007, 0.012)))
    assert longest < 0.05
    # One outage; a second one if this process stalled during a measurement.
    assert 1 <= len(observer.log.messages) <= 3


async def test_no_password_is_logged(subject: str) -> None:
    async with open_valkey("--requirepass", "open sesame") as server:
        for url in (
            f"valkey+unix://user:wrong-word@{server.socket}",
            f"valkey+unix://:wrong-word@{server.socket}",
            "valkey://user:wrong-word@127.0.0.1:1/0",
        ):
            async with observed(url) as observer:
                await observer.limiter.acquire(subject, PLAN, AT)
            (message,) = observer.log.messages
            assert "wrong-word" not in message
        async with observed(f"valkey+unix://:open%20sesame@{server.socket}") as observer:
            await observer.limiter.acquire(subject, PLAN, AT)
        assert observer.log.messages == []
