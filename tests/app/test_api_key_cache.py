"""API keys are cached for a second at most, and only those that exist."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime

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


class CountingKeys(MemoryApiKeys):
    """Notes how often it is asked."""

    def __init__(self, workspaces: MemoryWorkspaces) -> None:
        super().__init__(workspaces, StillClock())
        self.asked = 0
        self.answer: asyncio.Event | None = None
        self.fails = False

    async def find(self, digest: bytes) -> ApiKeyFound | None:
        self.asked += 1
        if self.fails:
            raise Unavailable("away")
        if self.answer:
            await self.answer.wait()
        return await super().find(digest)


@dataclass
class World:
    """A key, where it really is, and what is remembered of it."""

    key: ApiKey
    source: CountingKeys
    recent: ApiKeyCache
    time: list[float] = field(default_factory=lambda: [1000.0])


@pytest.fixture
async def world() -> World:
    ports = memory_ports()
    workspaces = ports.workspaces
    assert isinstance(workspaces, MemoryWorkspaces)
    source = CountingKeys(workspaces)
    use_cases = UseCases.of(replace(ports, api_keys=source), {})
    home = await use_cases.create_workspace("Acme", Plan.PRO, 1000)
    key = (await use_cases.mint_api_key(workspace=home.id, name="k", granted=["read:documents"])).key
    time = [1000.0]
    return World(key, source, ApiKeyCache(source, lambda: time[0]), time)


async def test_an_api_key_is_read_again_every_half_second(world: World) -> None:
    for _ in range(3):
        found = await world.recent.find(world.key.digest)
        assert found is not None
        assert found.key == world.key
    assert world.source.asked == 1
    world.time[0] += 0.5
    await world.recent.find(world.key.digest)
    assert world.source.asked == 2


async def test_a_cached_api_key_is_used_during_a_read_but_never_beyond_a_second(world: World) -> None:
    await world.recent.find(world.key.digest)
    world.time[0] += 0.5
    world.source.answer = asyncio.Event()
    first = asyncio.create_task(world.recent.find(world.key.digest))
    await asyncio.sleep(0)
    assert await world.recent.find(world.key.digest) is not None
    assert (world.source.asked, first.done()) == (2, False)
    world.time[0] += 0.5
    second = asyncio.create_task(world.recent.find(world.key.digest))
    await asyncio.sleep(0)
    assert (world.source.asked, second.done()) == (3, False)
    world.source.answer.set()
    assert await first == await second


async def test_after_a_failed_read_the_next_caller_reads(world: World) -> None:
    await world.recent.find(world.key.digest)
    world.time[0] += 0.5
    world.source.fails = True
    with pytest.raises(Unavailable):
        await world.recent.find(world.key.digest)
    world.source.fails = False
    assert await world.recent.find(world.key.digest) is not None
    assert world.source.asked == 3


async def test_an_api_key_revoked_in_another_process_is_refused_after_a_second(world: World, now: datetime) -> None:
    await world.recent.find(world.key.digest)
    await world.source.revoke(world.key.workspace_id, world.key.id, now, None)
    world.time[0] += 1.0
    found = await world.recent.find(world.key.digest)
    assert found is not None
    assert found.key.revoked_at == now


async def test_an_api_key_revoked_in_this_process_is_refused_at_once(world: World, now: datetime) -> None:
    await world.recent.find(world.key.digest)
    await world.source.revoke(world.key.workspace_id, world.key.id, now, None)
    world.recent.forget(world.key.id)
    found = await world.recent.find(world.key.digest)
    assert found is not None
    assert found.key.revoked_at == now


async def test_an_unknown_api_key_is_never_cached(world: World) -> None:
    stranger = bytes(32)
    assert await world.recent.find(stranger) is None
    assert await world.recent.find(stranger) is None
    assert world.source.asked == 2
    await world.source.add(replace(world.key, id=ApiKeyId("key_2"), name="k2", digest=stranger))
    assert await world.recent.find(stranger) is not None


async def test_a_full_cache_drops_the_oldest_api_key(world: World) -> None:
    world.recent = ApiKeyCache(world.source, keys_max=2)
    digests = [bytes([number]) * 32 for number in range(3)]
    for digest in digests:
        await world.source.add(replace(world.key, id=ApiKeyId(f"key_{digest.hex()}"), name=digest.hex(), digest=digest))
        await world.recent.find(digest)
    await world.recent.find(digests[2])
    await world.recent.find(digests[1])
    assert world.source.asked == 3
    await world.recent.find(digests[0])
    assert world.source.asked == 4


@pytest.fixture
def now() -> datetime:
    return memory_ports().now()
