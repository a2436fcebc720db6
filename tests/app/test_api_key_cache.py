"""The cache keeps an API key for at most a second, and never keeps an unknown one."""

import asyncio
from typing import cast

import pytest

from adapters.in_process.api_key_cache import ApiKeyCache
from domain.access import ApiKey
from domain.ids import ApiKeyId
from domain.rate_limits import Plan
from ports.api_keys import ApiKeyFound
from ports.system import Unavailable

KEY, OTHER, THIRD = (bytes([number]) * 32 for number in range(3))


def stored() -> ApiKeyFound:
    """Return a new state of an API key in the database. It differs from every earlier one."""
    return ApiKeyFound(cast("ApiKey", object()), Plan.PRO)


class World:
    """The cache under test, for two API keys, and the database behind it. A test can let reads fail or wait."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.cache = ApiKeyCache(self, lambda: self.time, keys_max=2)
        self.stored = {KEY: stored()}
        self.reads = 0
        self.answer: asyncio.Event | None = None
        self.fails = False

    async def find(self, digest: bytes) -> ApiKeyFound | None:
        self.reads += 1
        if self.fails:
            raise Unavailable("away")
        if self.answer:
            await self.answer.wait()
        return self.stored.get(digest)

    def forget(self, key: ApiKeyId) -> None:
        """Do nothing: only the cache remembers API keys."""


@pytest.fixture
def world() -> World:
    return World()


async def test_a_cached_api_key_is_read_again_every_half_second(world: World) -> None:
    for _ in range(3):
        assert await world.cache.find(KEY) == world.stored[KEY]
    assert world.reads == 1
    world.time += 0.5
    await world.cache.find(KEY)
    assert world.reads == 2


async def test_a_cached_api_key_is_used_during_a_read_but_never_beyond_a_second(world: World) -> None:
    before = await world.cache.find(KEY)
    world.stored[KEY] = stored()
    world.time += 0.5
    world.answer = asyncio.Event()
    first = asyncio.create_task(world.cache.find(KEY))
    await asyncio.sleep(0)
    assert await world.cache.find(KEY) == before
    assert (world.reads, first.done()) == (2, False)
    world.time += 0.5
    second = asyncio.create_task(world.cache.find(KEY))
    await asyncio.sleep(0)
    assert (world.reads, second.done()) == (3, False)
    world.answer.set()
    assert await first == await second == world.stored[KEY]


async def test_after_a_failed_read_the_next_caller_reads_the_database(world: World) -> None:
    await world.cache.find(KEY)
    world.time += 0.5
    world.fails = True
    with pytest.raises(Unavailable):
        await world.cache.find(KEY)
    world.fails = False
    await world.cache.find(KEY)
    assert world.reads == 3


async def test_a_change_is_seen_at_once_by_its_process_and_after_a_second_by_others(world: World) -> None:
    await world.cache.find(KEY)
    world.stored[KEY] = stored()
    world.cache.forget(ApiKeyId("key_1"))
    assert await world.cache.find(KEY) == world.stored[KEY]
    world.stored[KEY] = stored()
    world.time += 1.0
    assert await world.cache.find(KEY) == world.stored[KEY]


async def test_an_unknown_api_key_is_never_cached(world: World) -> None:
    assert [await world.cache.find(OTHER) for _ in range(2)] == [None, None]
    assert world.reads == 2
    world.stored[OTHER] = stored()
    assert await world.cache.find(OTHER) == world.stored[OTHER]


async def test_a_full_cache_drops_the_oldest_api_key(world: World) -> None:
    world.stored |= {OTHER: stored(), THIRD: stored()}
    for digest, reads in ((KEY, 1), (OTHER, 2), (THIRD, 3), (THIRD, 3), (OTHER, 3), (KEY, 4)):
        assert await world.cache.find(digest) == world.stored[digest]
        assert world.reads == reads
