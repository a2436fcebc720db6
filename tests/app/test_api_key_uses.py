"""The uses of API keys are collected in memory, written together, and delay no request."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import cast

import pytest

from adapters.in_process import api_key_uses
from adapters.in_process.api_key_uses import WRITE_SECONDS, BufferedApiKeyUses
from domain.ids import ApiKeyId, WorkspaceId
from ports.api_keys import ApiKeys, ApiKeyUse
from ports.system import Unavailable
from tests.app.pauses import Pauses
from tests.clock import StillClock

HOME = WorkspaceId("ws_1")
KEY, OTHER = ApiKeyId("key_1"), ApiKeyId("key_2")


class World:
    """The buffer under test, and the repository that it writes to. A test can let the writes fail or hang."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.pauses = Pauses(self.clock)
        self.buffer()
        self.calls: list[Sequence[ApiKeyUse]] = []
        self.fails: Exception | None = None
        self.hangs = False
        self.called = asyncio.Event()
        self.meanwhile: Callable[[], object] = lambda: None

    def buffer(self, keys_max: int = 10_000) -> None:
        """Begin with an empty buffer of this size."""
        self.uses = BufferedApiKeyUses(cast("ApiKeys", self), self.pauses, keys_max)

    def use(self, *keys: ApiKeyId) -> datetime:
        """Note that the API keys are used now, and return the time."""
        for key in keys:
            self.uses.note(key, HOME, self.clock())
        return self.clock()

    async def record_uses(self, uses: Sequence[ApiKeyUse]) -> None:
        self.calls.append(uses)
        self.called.set()
        self.meanwhile()
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise self.fails

    @property
    def last(self) -> dict[ApiKeyId, datetime]:
        """The uses of the last write."""
        return {use.key_id: use.at for use in self.calls[-1]}


@pytest.fixture
def world() -> World:
    return World()


async def test_uses_of_api_keys_are_written_together_every_five_seconds(world: World) -> None:
    async with world.uses.written_regularly():
        await world.pauses.turn()
        # Uses are written in the order of their ids, so that two processes never wait for each other's rows.
        at = world.use(OTHER, KEY)
        await world.pauses.turn(2)
    assert world.calls == [[ApiKeyUse(HOME, KEY, at), ApiKeyUse(HOME, OTHER, at)]]
    assert set(world.pauses.lengths) == {WRITE_SECONDS}


async def test_the_use_of_an_api_key_is_written_once_a_minute(world: World) -> None:
    async with world.uses.written_regularly():
        first = world.use(KEY)
        for _ in range(13):
            await world.pauses.turn()
            world.use(KEY)
    assert [[use.at for use in call] for call in world.calls] == [[first], [first + timedelta(minutes=1)]]


@pytest.mark.parametrize("failure", [Unavailable("away"), RuntimeError("a bug")], ids=["away", "bug"])
async def test_a_failed_write_is_logged_once_and_retried_until_it_succeeds(
    world: World, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    async with world.uses.written_regularly():
        at = world.use(KEY)
        world.fails = failure
        for _ in range(3):
            await world.pauses.turn()
            assert world.last == {KEY: at}
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
        world.fails = None
        await world.pauses.turn(2)
        assert world.last == {KEY: at}
        assert len(world.calls) == 4
        # After a success, the next failure is logged again.
        world.clock.advance(minutes=1)
        world.use(KEY)
        world.fails = failure
        await world.pauses.turn()
        assert len(caplog.records) == 2


async def test_uses_during_failed_writes_are_written_later_with_their_newest_time(world: World) -> None:
    world.fails = Unavailable("away")
    async with world.uses.written_regularly():
        earlier = world.use(KEY, OTHER)
        await world.pauses.turn()
        world.clock.advance(minutes=2)
        later = world.use(KEY)
        await world.pauses.turn()
        world.fails = None
        await world.pauses.turn()
        assert world.last == {KEY: later, OTHER: earlier}


async def test_a_use_during_a_write_is_written_by_the_next_one(world: World) -> None:
    async with world.uses.written_regularly():
        first = world.use(KEY)
        world.clock.advance(minutes=1)
        world.meanwhile = lambda: world.use(KEY)
        await world.pauses.turn()
        assert world.last == {KEY: first}
        await world.pauses.turn()
        assert world.last == {KEY: first + timedelta(minutes=1, seconds=WRITE_SECONDS)}


async def test_a_write_interrupted_by_a_shutdown_is_repeated_with_the_remaining_uses(world: World) -> None:
    world.hangs = True
    async with world.uses.written_regularly():
        at = world.use(KEY)
        await world.pauses.end()
        await world.called.wait()
        world.hangs = False
        world.use(OTHER)
    assert [list(call) for call in world.calls] == [
        [ApiKeyUse(HOME, KEY, at)],
        [ApiKeyUse(HOME, KEY, at), ApiKeyUse(HOME, OTHER, world.clock())],
    ]


async def test_a_silent_database_delays_a_shutdown_by_one_second(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api_key_uses.LAST_WRITE_SECONDS <= 1
    monkeypatch.setattr(api_key_uses, "LAST_WRITE_SECONDS", 0)
    world.hangs = True
    async with asyncio.timeout(10):
        async with world.uses.written_regularly():
            world.use(KEY)
    assert len(world.calls) <= 1


async def test_a_full_buffer_drops_the_oldest_uses(world: World) -> None:
    world.buffer(keys_max=3)
    keys = [ApiKeyId(f"key_{number}") for number in range(5)]
    async with world.uses.written_regularly():
        world.use(*keys[:4])
        await world.pauses.turn()
        assert list(world.last) == keys[1:4]
        world.clock.advance(minutes=1)
        world.use(keys[1], keys[4])
        await world.pauses.turn()
        assert list(world.last) == [keys[1], keys[4]]
        # Key 2 was dropped, so a use of it is noted again. The uses of 1, 3 and 4 are remembered; that of 3 is old.
        world.use(keys[1], keys[4], keys[2])
        await world.pauses.turn()
        assert list(world.last) == [keys[2]]
