"""The cache keeps an API key for a second, or for minutes while changes are reported, and never an unknown one."""

import pytest

from tests.app.api_keys import KEY, OTHER, SIBLING, UNKNOWN, World, settle
from tests.domain.samples import FOREIGN, OWN


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def reported(world: World) -> World:
    """The world while changes are reported."""
    world.cache.begin(world.time)
    return world


async def pass_time(world: World, seconds: float) -> None:
    """Advance the time. Every half second, confirm that all changes have been reported, as the database does."""
    end = world.time + seconds
    while world.time < end:
        world.time = min(end, world.time + 0.5)
        world.cache.confirm(world.time)


@pytest.mark.parametrize(("half", "is_reported"), [(0.5, False), (300.0, True)])
async def test_an_api_key_is_read_again_after_half_of_its_time(world: World, half: float, is_reported: bool) -> None:
    if is_reported:
        world.cache.begin(world.time)
    before = await world.get()
    await pass_time(world, half - 0.1)
    assert (await world.get(), len(world.calls)) == (before, 1)
    after = world.change(KEY)
    world.answers.clear()
    await pass_time(world, 0.1)
    assert (await world.get(), await world.get()) == (before, before)
    await pass_time(world, half)
    (late,) = await world.start(KEY)
    assert (late.done(), len(world.calls)) == (False, 2)
    world.answers.set()
    assert await late == after


async def test_without_reports_a_change_is_seen_after_a_second(world: World) -> None:
    await world.get()
    after = world.change(KEY)
    await pass_time(world, 1)
    assert await world.get() == after


async def test_a_report_is_followed_at_once_and_concerns_one_workspace(reported: World) -> None:
    for digest in (KEY, SIBLING, OTHER):
        await reported.get(digest)
    reported.cache.changed(OWN)
    reported.cache.changed(OWN)
    assert [reported.cache.known(digest) for digest in (KEY, SIBLING, OTHER)] == [None, None, reported.stored[OTHER]]
    reported.cache.changed(FOREIGN)
    assert reported.cache.known(OTHER) is None


async def test_a_confirmation_covers_a_second_after_the_time_at_which_it_was_asked_for(reported: World) -> None:
    found = await reported.get()
    await pass_time(reported, 10)
    asked_at = reported.time
    reported.time += 0.7
    reported.cache.confirm(asked_at)
    reported.time += 0.2
    assert reported.cache.known(KEY) == found
    reported.time += 0.1
    assert reported.cache.known(KEY) is None


async def test_what_was_read_before_reports_began_again_counts_for_a_second(reported: World) -> None:
    await reported.get()
    await pass_time(reported, 1)
    reported.cache.begin(reported.time)
    reported.cache.confirm(reported.time)
    assert reported.cache.known(KEY) is None
    found = await reported.get()
    await pass_time(reported, 10)
    assert reported.cache.known(KEY) == found


async def test_an_unknown_api_key_is_never_kept_and_a_deleted_one_is_forgotten(world: World) -> None:
    assert [await world.get(UNKNOWN) for _ in range(2)] == [None, None]
    assert world.calls == [{UNKNOWN}] * 2
    world.change(UNKNOWN)
    assert await world.get(UNKNOWN) == world.stored[UNKNOWN]
    del world.stored[UNKNOWN]
    world.time += 0.5
    await world.get(UNKNOWN)
    await settle()
    assert world.cache.known(UNKNOWN) is None


async def test_a_full_cache_drops_the_oldest_api_key() -> None:
    world = World(keys_max=2)
    for digest, calls in ((KEY, 1), (SIBLING, 2), (OTHER, 3), (OTHER, 3), (SIBLING, 3), (KEY, 4)):
        assert await world.get(digest) == world.stored[digest]
        assert len(world.calls) == calls
    # A report of a workspace whose API keys were dropped is no error.
    world.cache.changed(OWN)
    assert world.cache.known(KEY) is None
