"""How requests share calls to Valkey, and what they leave there."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from random import Random

import pytest
import uvloop

from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.throttle.counters import LINGER_SECONDS, ValkeyCounters
from adapters.throttle.limiter import BUDGET_SECONDS, ValkeyRateLimiter
from adapters.throttle.location import valkey_location
from domain.rate_limits import Window
from tests.clock import StillClock
from tests.throttle.listening import Observed, Stopwatch, observed
from tests.throttle.relay import Fault, Relay, open_relay
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
async def watched(relay: Relay) -> AsyncIterator[Observed]:
    async with observed(relay.url) as watched:
        yield watched


@pytest.fixture
async def patient(relay: Relay) -> AsyncIterator[Observed]:
    """A limiter that waits, however little of the machine others get."""
    async with observed(relay.url, budget_seconds=10) as watched:
        yield watched


async def calls(server: ValkeyServer) -> int:
    """How often the script was called."""
    reported = await server.ask("INFO", "commandstats")
    return sum(
        int(line.partition("calls=")[2].partition(",")[0])
        for line in reported.splitlines()
        if line.startswith("cmdstat_eval")
    )


async def test_a_lone_request_is_one_call_and_those_that_wait_together_are_one(
    server: ValkeyServer, relay: Relay, patient: Observed, subject: str
) -> None:
    before = await calls(server)
    await patient.limiter.acquire(subject, PLAN, AT)
    assert await calls(server) == before + 1
    async with asyncio.TaskGroup() as group:
        relay.asked.clear()
        relay.held = asyncio.Event()
        group.create_task(patient.limiter.acquire(subject, PLAN, AT))
        await relay.asked.wait()
        for number in range(50):
            group.create_task(patient.limiter.acquire(f"{subject}:{number % 7}", PLAN, AT))
        await asyncio.sleep(0)
        relay.held.set()
    assert await calls(server) == before + 3
    assert patient.alone == []


async def test_requests_of_one_call_are_decided_in_the_order_they_came(patient: Observed, subject: str) -> None:
    random = Random(7)
    plans = [(Window(limit, 60), Window(2 * limit, 86_400)) for limit in (3, 5, 8)] + [(Window(4, 60),)]
    clock = StillClock()
    alone = MemoryRateLimiter()
    for _ in range(50):
        clock.advance(seconds=random.choice((0, 1, 20, 60, 40_000)))
        asked = [
            (f"{subject}:{random.randrange(3)}", random.choice(plans), clock()) for _ in range(random.randrange(1, 40))
        ]
        together = await asyncio.gather(*(patient.limiter.acquire(*request) for request in asked))
        assert together == [await alone.acquire(*request) for request in asked]
    assert patient.alone == []


async def test_cancelling_one_request_harms_no_other(
    server: ValkeyServer, relay: Relay, patient: Observed, subject: str
) -> None:
    async def ask(name: str) -> "asyncio.Task[object]":
        task = asyncio.create_task(patient.limiter.acquire(f"{subject}:{name}", (Window(2, 60),), AT))
        await asyncio.sleep(0)
        return task

    relay.asked.clear()
    relay.held = asyncio.Event()
    called, companion = await ask("a"), await ask("b")
    await relay.asked.wait()
    waiting, last = await ask("c"), await ask("a")
    called.cancel()
    waiting.cancel()
    await asyncio.gather(called, waiting, return_exceptions=True)
    relay.held.set()
    await asyncio.gather(companion, last)
    assert called.cancelled()
    assert waiting.cancelled()
    names = {key.removeprefix(f"dossier:{subject}:")[0] for key in await server.keys() if subject in key}
    # What had gone is counted, what had not is not.
    assert names == {"a", "b"}
    assert (await patient.limiter.acquire(f"{subject}:a", (Window(2, 60),), AT)).admitted is False
    assert patient.alone == []


async def test_every_key_is_a_counter_of_ours_and_goes_soon_after_its_window_has_ended(
    server: ValkeyServer, patient: Observed, subject: str
) -> None:
    clock = StillClock()
    clock.advance(seconds=13)
    for _ in range(4):
        await patient.limiter.acquire(subject, PLAN, clock())
    lifetimes = {key: int((await server.ask("TTL", key)).strip(":\r\n")) for key in await server.keys()}
    now = int(clock().timestamp())
    for window in PLAN:
        key = f"dossier:{subject}:{window.seconds}:{window.end(clock())}"
        left = window.end(clock()) - now + LINGER_SECONDS
        assert left - 10 < lifetimes[key] <= left
    assert all(0 < lifetime <= 86_400 + LINGER_SECONDS for lifetime in lifetimes.values())
    assert all(key.startswith("dossier:") for key in lifetimes)


async def test_a_valkey_that_has_forgotten_the_script_is_told_it_within_the_call(
    server: ValkeyServer, patient: Observed, subject: str
) -> None:
    assert (await patient.limiter.acquire(subject, (Window(2, 60),), AT)).remaining == 1
    await server.ask("SCRIPT", "FLUSH")
    assert (await patient.limiter.acquire(subject, (Window(2, 60),), AT)).remaining == 0
    assert patient.alone == []


async def test_a_valkey_that_was_started_anew_while_nobody_asked_is_not_noticed(subject: str) -> None:
    async with open_valkey() as server, observed(server.url) as watched:
        await watched.limiter.acquire(subject, PLAN, AT)
        await server.restart()
        assert (await watched.limiter.acquire(subject, PLAN, AT)).remaining == 9
        assert watched.alone == []
        assert watched.heard.said == []


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
async def test_a_loop_that_was_held_up_takes_nobody_for_slow(
    valkey: ValkeyServer, subject: str, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    alone: list[None] = []
    location = valkey_location(valkey.url)

    async def ask() -> None:
        # Wherever it is: when it connects, before it has sent, or when the answer lies there.
        for turns in range(30):
            limiter = ValkeyRateLimiter(
                ValkeyCounters(location), MemoryRateLimiter(), 1, lambda: alone.append(None), location.shown
            )
            try:
                asked = asyncio.gather(*(limiter.acquire(subject, PLAN, AT) for _ in range(3)))
                for _ in range(turns):
                    await asyncio.sleep(0)
                time.sleep(2 * BUDGET_SECONDS)  # noqa: ASYNC251 - on purpose
                await asked
            finally:
                await limiter.aclose()

    def run() -> None:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(ask())

    await asyncio.to_thread(run)
    assert alone == []


async def test_one_answer_that_comes_too_late_costs_next_to_nothing(
    relay: Relay, watched: Observed, subject: str
) -> None:
    relay.held = asyncio.Event()
    await watched.limiter.acquire(subject, PLAN, AT)
    relay.held.set()
    took = await watched.until_back()
    assert took < 0.1
    assert len(watched.alone) == 1
    assert (await watched.limiter.acquire(subject, PLAN, AT)).admitted
    assert len(watched.alone) == 1


async def test_answers_that_are_only_just_in_time_do_not_make_it_come_and_go(
    relay: Relay, watched: Observed, subject: str
) -> None:
    await relay.fail(Fault.LATE)
    loop = asyncio.get_running_loop()
    ends = loop.time() + 1.0
    longest = 0.0

    async def client(pause: float) -> None:
        nonlocal longest
        while loop.time() < ends:
            with Stopwatch() as watch:
                await watched.limiter.acquire(subject, PLAN, AT)
            longest = max(longest, watch.seconds)
            await asyncio.sleep(pause)

    # None in step with the others, so that they come while a call is under way.
    await asyncio.gather(*(client(pause) for pause in (0.001, 0.007, 0.012)))
    assert longest < 0.05
    # Once, or once more where this process was held up while it measured.
    assert 1 <= len(watched.heard.said) <= 3


async def test_no_password_is_logged(subject: str) -> None:
    async with open_valkey("--requirepass", "open sesame") as server:
        for url in (
            f"valkey+unix://user:wrong-word@{server.socket}",
            f"valkey+unix://:wrong-word@{server.socket}",
            "valkey://user:wrong-word@127.0.0.1:1/0",
        ):
            async with observed(url) as watched:
                await watched.limiter.acquire(subject, PLAN, AT)
            (said,) = watched.heard.said
            assert "wrong-word" not in said
        async with observed(f"valkey+unix://:open%20sesame@{server.socket}") as watched:
            await watched.limiter.acquire(subject, PLAN, AT)
        assert watched.heard.said == []
