"""The cache holds an API key for a second at most, and never an unknown one."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from adapters.in_process.api_key_cache import ApiKeyCache
from adapters.memory.api_keys import MemoryApiKeys
from adapters.memory.workspaces import MemoryWorkspaces
from domain.access import ApiKey
from domain.ids import ApiKeyId
from domain.rate_limits import Plan
from domain.use_cases import UseCases
from ports.api_keys import ApiKeyFound
from ports.system import Unavailable
from tests.clock import StillClock
from tests.memory import memory_ports


class CountedKeys(MemoryApiKeys):
    """Counts its reads. A read fails, or waits for `answer`, if the test says so."""

    def __init__(self, workspaces: MemoryWorkspaces) -> None:
        super().__init__(workspaces, StillClock())
        self.reads = 0
        self.answer: asyncio.Event | None = None
        self.fails = False

    async def find(self, digest: bytes) -> ApiKeyFound | None:
        self.reads += 1
        if self.fails:
            raise Unavailable("away")
        if self.answer:
            await self.answer.wait()
        return await super().find(digest)


@dataclass
class World:
    """An API key, the lookup that is cached, the cache, and its clock."""

    key: ApiKey
    source: CountedKeys
    time: list[float] = field(default_factory=lambda: [1000.0])

    def __post_init__(self) -> None:
        self.cache = ApiKeyCache(self.source, lambda: self.time[0], keys_max=2)

    async def find(self) -> ApiKeyFound:
        found = await self.cache.find(self.key.digest)
        assert found is not None
        return found

    async def add(self, digest: bytes) -> None:
        """Store another API key, with this digest."""
        await self.source.add(replace(self.key, id=ApiKeyId(f"key_{digest.hex()}"), name=digest.hex(), digest=digest))


@pytest.fixture
async def world() -> World:
    ports = memory_ports()
    source = CountedKeys(cast("MemoryWorkspaces", ports.workspaces))
    use_cases = UseCases.of(replace(ports, api_keys=source), {})
    home = await use_cases.create_workspace("Acme", Plan.PRO, 1000)
    key = (await use_cases.mint_api_key(workspace=home.id, name="k", granted=["read:documents"])).key
    return World(key, source)


async def test_an_api_key_is_read_again_every_half_second(world: World) -> None:
    for _ in range(3):
        assert (await world.find()).key == world.key
    assert world.source.reads == 1
    world.time[0] += 0.5
    await world.find()
    assert world.source.reads == 2


async def test_a_cached_api_key_is_used_during_a_read_but_never_beyond_a_second(world: World) -> None:
    await world.find()
    world.time[0] += 0.5
    world.source.answer = asyncio.Event()
    first = asyncio.create_task(world.find())
    await asyncio.sleep(0)
    await world.find()
    assert (world.source.reads, first.done()) == (2, False)
    world.time[0] += 0.5
    second = asyncio.create_task(world.find())
    await asyncio.sleep(0)
    assert (world.source.reads, second.done()) == (3, False)
    world.source.answer.set()
    assert await first == await second


async def test_after_a_failed_read_the_next_caller_reads(world: World) -> None:
    await world.find()
    world.time[0] += 0.5
    world.source.fails = True
    with pytest.raises(Unavailable):
        await world.find()
    world.source.fails = False
    await world.find()
    assert world.source.reads == 3


@pytest.mark.parametrize("here", [True, False], ids=["this process", "another process"])
async def test_an_api_key_revoked_in_this_process_is_refused_at_once_and_elsewhere_after_a_second(
    world: World, *, here: bool
) -> None:
    await world.find()
    at = world.key.created_at
    await world.source.revoke(world.key.workspace_id, world.key.id, at, None)
    if here:
        world.cache.forget(world.key.id)
    else:
        world.time[0] += 1.0
    assert (await world.find()).key.revoked_at == at


async def test_an_unknown_api_key_is_never_cached(world: World) -> None:
    unknown = bytes(32)
    assert [await world.cache.find(unknown) for _ in range(2)] == [None, None]
    assert world.source.reads == 2
    await world.add(unknown)
    assert await world.cache.find(unknown) is not None


async def test_a_full_cache_drops_the_oldest_api_key(world: World) -> None:
    digests = [bytes([number]) * 32 for number in range(3)]
    for digest in digests:
        await world.add(digest)
        await world.cache.find(digest)
    await world.cache.find(digests[2])
    await world.cache.find(digests[1])
    assert world.source.reads == 3
    await world.cache.find(digests[0])
    assert world.source.reads == 4
