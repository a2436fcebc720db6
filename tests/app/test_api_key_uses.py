"""The uses of API keys: noted for each request, written together, and never in the way of a request."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from adapters.in_process import api_key_uses as key_uses
from adapters.in_process.api_key_uses import WRITE_SECONDS, BufferedApiKeyUses
from adapters.memory.api_keys import MemoryApiKeys
from adapters.memory.workspaces import MemoryWorkspaces
from domain.ids import ApiKeyId, WorkspaceId
from ports.api_keys import ApiKeyUse
from ports.system import Unavailable
from tests.clock import StillClock

HOME = WorkspaceId("ws_1")
KEY, OTHER = ApiKeyId("key_1"), ApiKeyId("key_2")


class WrittenKeys(MemoryApiKeys):
    """Keeps what is written, call by call; fails or hangs when it is told to."""

    def __init__(self) -> None:
        super().__init__(MemoryWorkspaces(), StillClock())
        self.calls: list[Sequence[ApiKeyUse]] = []
        self.fails: Exception | None = None
        self.hangs = False
        self.called = asyncio.Event()

    async def record_uses(self, uses: Sequence[ApiKeyUse]) -> None:
        self.calls.append(uses)
        self.called.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise self.fails

    @property
    def last(self) -> dict[ApiKeyId, datetime]:
        return {use.key_id: use.at for use in self.calls[-1]}


@dataclass
class Pauses:
    """Instead of waiting, the writer stands still until `turn` lets it go on, to its next pause."""

    lengths: list[float] = field(default_factory=list)
    paused: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    go_on: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def __call__(self, seconds: float) -> None:
        self.lengths.append(seconds)
        self.paused.release()
        await self.go_on.acquire()

    async def turn(self) -> None:
        await self.paused.acquire()
        self.go_on.release()
        # Until it pauses again, what it does in between is done.
        await self.paused.acquire()
        self.paused.release()


@dataclass
class World:
    """What is noted, where it is written to, and what time it is."""

    keys: WrittenKeys = field(default_factory=WrittenKeys)
    clock: StillClock = field(default_factory=StillClock)
    pauses: Pauses = field(default_factory=Pauses)

    def __post_init__(self) -> None:
        self.uses = BufferedApiKeyUses(self.keys, self.pauses)

    def use(self, *keys: ApiKeyId) -> datetime:
        """The keys are used now."""
        for key in keys:
            self.uses.note(key, HOME, self.clock())
        return self.clock()


@pytest.fixture
def world() -> World:
    return World()


async def test_uses_are_written_every_few_seconds_in_one_call(world: World) -> None:
    async with world.uses.written_regularly():
        # Written in the order of the ids, so that no two processes wait for each other's rows.
        at = world.use(OTHER, KEY)
        await world.pauses.turn()
        assert world.keys.calls == [[ApiKeyUse(HOME, KEY, at), ApiKeyUse(HOME, OTHER, at)]]
    assert set(world.pauses.lengths) == {WRITE_SECONDS}


async def test_nothing_is_written_without_uses(world: World) -> None:
    async with world.uses.written_regularly():
        await world.pauses.turn()
        world.use(KEY)
        await world.pauses.turn()
        await world.pauses.turn()
    assert len(world.keys.calls) == 1


async def test_an_api_key_in_use_is_written_once_a_minute(world: World) -> None:
    async with world.uses.written_regularly():
        first = world.use(KEY)
        for _ in range(13):
            await world.pauses.turn()
            world.clock.advance(seconds=WRITE_SECONDS)
            world.use(KEY)
    minute_later = first + timedelta(minutes=1)
    assert [[use.at for use in call] for call in world.keys.calls] == [[first], [minute_later]]


@pytest.mark.parametrize("failure", [Unavailable("away"), RuntimeError("a mistake of ours")], ids=["away", "mistake"])
async def test_a_failed_write_is_logged_once_and_retried_until_it_succeeds(
    world: World, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    async with world.uses.written_regularly():
        at = world.use(KEY)
        world.keys.fails = failure
        for _ in range(3):
            await world.pauses.turn()
            assert world.keys.last == {KEY: at}
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
        world.keys.fails = None
        await world.pauses.turn()
        assert world.keys.last == {KEY: at}
        await world.pauses.turn()
        assert len(world.keys.calls) == 4
        # The next failure is another one.
        world.clock.advance(minutes=1)
        world.use(KEY)
        world.keys.fails = failure
        await world.pauses.turn()
        assert len(caplog.records) == 2


async def test_uses_during_failed_writes_are_written_with_the_newest_time_of_each_key(world: World) -> None:
    world.keys.fails = Unavailable("away")
    async with world.uses.written_regularly():
        earlier = world.use(KEY, OTHER)
        await world.pauses.turn()
        world.clock.advance(minutes=2)
        later = world.use(KEY)
        await world.pauses.turn()
        world.keys.fails = None
        await world.pauses.turn()
        assert world.keys.last == {KEY: later, OTHER: earlier}


async def test_a_use_during_a_write_is_written_later(world: World) -> None:
    class Interrupted(WrittenKeys):
        async def record_uses(self, uses: Sequence[ApiKeyUse]) -> None:
            await super().record_uses(uses)
            if len(self.calls) == 1:
                world.clock.advance(minutes=1)
                world.use(KEY)

    world.keys = Interrupted()
    world.uses = BufferedApiKeyUses(world.keys, world.pauses)
    async with world.uses.written_regularly():
        world.use(KEY)
        await world.pauses.turn()
        await world.pauses.turn()
        assert world.keys.last == {KEY: world.clock()}


async def test_remaining_uses_are_written_at_the_end(world: World) -> None:
    async with world.uses.written_regularly():
        await world.pauses.turn()
        at = world.use(KEY)
    assert world.keys.last == {KEY: at}


async def test_a_write_interrupted_by_the_end_is_repeated(world: World) -> None:
    world.keys.hangs = True
    async with world.uses.written_regularly():
        at = world.use(KEY)
        await world.pauses.paused.acquire()
        world.pauses.go_on.release()
        await world.keys.called.wait()
        world.keys.hangs = False
    assert len(world.keys.calls) == 2
    assert world.keys.last == {KEY: at}


async def test_a_database_that_does_not_answer_delays_the_end_by_a_second_at_most(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert key_uses.LAST_WRITE_SECONDS <= 1
    monkeypatch.setattr(key_uses, "LAST_WRITE_SECONDS", 0)
    world.keys.hangs = True
    async with asyncio.timeout(10):
        async with world.uses.written_regularly():
            world.use(KEY)
    assert len(world.keys.calls) <= 1


async def test_a_full_buffer_drops_the_oldest_uses(world: World) -> None:
    world.uses = BufferedApiKeyUses(world.keys, world.pauses, keys_max=2)
    keys = [ApiKeyId(f"key_{number}") for number in range(4)]
    async with world.uses.written_regularly():
        world.use(*keys)
        await world.pauses.turn()
        assert list(world.keys.last) == keys[2:]
        # Forgotten, and so due again; those that are remembered are not.
        world.use(keys[3], keys[0])
        await world.pauses.turn()
        assert list(world.keys.last) == keys[:1]


async def test_a_repeated_use_makes_an_api_key_the_newest(world: World) -> None:
    world.uses = BufferedApiKeyUses(world.keys, world.pauses, keys_max=3)
    keys = [ApiKeyId(f"key_{number}") for number in range(4)]
    async with world.uses.written_regularly():
        world.use(*keys[:2])
        await world.pauses.turn()
        world.clock.advance(minutes=1)
        world.use(keys[0], keys[2], keys[3])
        await world.pauses.turn()
        assert list(world.keys.last) == [keys[0], *keys[2:]]
        world.use(*keys)
        await world.pauses.turn()
        assert list(world.keys.last) == [keys[1]]


async def test_uses_are_not_written_without_a_server(world: World) -> None:
    world.use(KEY)
    await asyncio.sleep(0)
    assert not world.keys.calls
