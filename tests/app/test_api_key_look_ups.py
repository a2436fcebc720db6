"""Requests share the look-ups of API keys."""

import asyncio
import gc

import pytest

from adapters.in_process.api_key_cache import CALLS_MAX, PATIENT_SECONDS
from ports.system import Unavailable
from tests.app.api_keys import KEY, OTHER, SIBLING, UNKNOWN, World, outcomes, settle
from tests.domain.samples import FOREIGN, OWN


@pytest.fixture
def world() -> World:
    """The world whose database does not answer yet."""
    world = World()
    world.answers.clear()
    return world


def unknown(count: int) -> list[bytes]:
    return [number.to_bytes(32, "big") for number in range(1000, 1000 + count)]


@pytest.mark.parametrize("is_reported", [False, True])
async def test_requests_with_one_api_key_cause_one_call_however_late_they_come(world: World, is_reported: bool) -> None:
    if is_reported:
        world.cache.begin(world.time)
    tasks = await world.start(*[KEY] * 300)
    world.time += 0.9
    tasks += await world.start(*[KEY] * 300)
    if is_reported:
        # With reports, even a call that takes longer than a second is shared, because a report would repeat it.
        world.time += 0.9
        world.cache.confirm(world.time)
        tasks += await world.start(*[KEY] * 300)
    world.answers.set()
    assert set(await outcomes(tasks)) == {world.stored[KEY]}
    assert world.calls == [{KEY}]


async def test_without_reports_no_request_shares_a_call_that_began_a_second_before_it(world: World) -> None:
    early = await world.start(KEY)
    revoked = world.change(KEY)
    world.time += 1
    first, world.answers = world.answers, asyncio.Event()
    late = await world.start(KEY, KEY)
    await world.until_called(2)
    assert world.calls == [{KEY}] * 2
    world.answers.set()
    assert await outcomes(late) == [revoked] * 2
    # The earlier call, which ends later, does not replace the result of the later one.
    first.set()
    assert (await outcomes(early))[0] != revoked
    assert world.cache.known(KEY) == revoked


async def test_a_cancelled_request_does_not_cancel_the_look_up_of_the_others(world: World) -> None:
    first, second = await world.start(KEY, KEY)
    first.cancel()
    await settle()
    world.answers.set()
    assert await second == world.stored[KEY]
    # Nor is the result lost if all of them are cancelled.
    world.answers.clear()
    (only,) = await world.start(OTHER)
    only.cancel()
    world.answers.set()
    await settle()
    assert world.cache.known(OTHER) == world.stored[OTHER]


async def test_a_failed_look_up_fails_those_who_wait_and_nobody_later(world: World) -> None:
    tasks = await world.start(KEY, KEY)
    world.fails = True
    world.answers.set()
    assert [type(outcome) for outcome in await outcomes(tasks)] == [Unavailable] * 2
    world.fails = False
    assert await world.get() == world.stored[KEY]


async def test_a_failed_background_look_up_fails_no_request(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.answers.set()
    found = await world.get()
    world.fails = True
    world.time += 0.5
    assert await world.get() == found
    await settle()
    assert await world.get() == found
    await settle()
    assert len(world.calls) == 3
    # asyncio reports an error that was never retrieved when its future is deleted.
    gc.collect()
    assert caplog.records == []


async def test_a_change_that_is_reported_during_a_look_up_wins(world: World) -> None:
    tasks = await world.start(KEY, KEY, OTHER)
    revoked = world.change(KEY)
    world.cache.changed(OWN)
    world.answers.set()
    assert await outcomes(tasks) == [revoked, revoked, world.stored[OTHER]]
    # Only the changed workspace is read again.
    assert world.calls == [{KEY, OTHER}, {KEY}]
    assert world.cache.known(KEY) == revoked


async def test_a_change_during_a_look_up_neither_delays_nor_fails_the_api_keys_of_other_workspaces(
    world: World,
) -> None:
    ours, other, unknown_one = await world.start(KEY, OTHER, UNKNOWN)
    world.cache.changed(OWN)
    first, world.answers = world.answers, asyncio.Event()
    first.set()
    await world.until_called(2)
    await settle()
    assert (other.result(), unknown_one.result()) == (world.stored[OTHER], None)
    world.fails = True
    world.answers.set()
    assert [type(outcome) for outcome in await outcomes([ours])] == [Unavailable]
    assert world.calls == [{KEY, OTHER, UNKNOWN}, {KEY}]


async def test_look_ups_that_wait_share_a_call_and_few_calls_run_at_a_time(world: World) -> None:
    *firsts, last = unknown(100)
    tasks = []
    for number, digest in enumerate(firsts[:CALLS_MAX]):
        tasks += await world.start(digest)
        await world.until_called(number + 1)
    for digest in (*firsts[CALLS_MAX:], last):
        tasks += await world.start(digest)
    assert [len(call) for call in world.calls] == [1] * CALLS_MAX
    world.answers.set()
    assert await outcomes(tasks) == [None] * 100
    assert len(world.calls) == CALLS_MAX + 1


async def test_patient_look_ups_cause_two_calls_a_second_and_delay_no_other(world: World) -> None:
    began = world.time
    tasks = await world.start(*unknown(500), SIBLING, patient=True)
    tasks += await world.start(*unknown(900), patient=True)
    assert len(world.calls) == 1
    # A known address does not wait for them, even with an API key that waits there.
    (prompt,) = await world.start(SIBLING)
    assert world.calls[1:] == [{SIBLING}]
    world.answers.set()
    assert await prompt == world.stored[SIBLING]
    assert [one for one in await outcomes(tasks) if one] == [world.stored[SIBLING]]
    assert len(world.calls) == 3
    for number in range(10):
        await world.get(UNKNOWN, patient=True)
        assert world.time == began + PATIENT_SECONDS * (number + 2)


async def test_closing_cancels_every_look_up(world: World) -> None:
    tasks = [*await world.start(KEY), *await world.start(OTHER), *await world.start(SIBLING)]
    tasks += [*await world.start(UNKNOWN, patient=True), *await world.start(*unknown(1), patient=True)]
    await world.cache.aclose()
    assert [type(outcome) for outcome in await outcomes(tasks)] == [asyncio.CancelledError] * 5
    world.cache.changed(FOREIGN)
