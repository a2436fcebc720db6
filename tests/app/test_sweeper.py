"""The background sweeper: when it does what, and that no failure stops it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from app.jobs.sweeper import DELETE_CONDEMNED_EVERY, SWEEP_EVERY, swept_regularly
from domain.paths import StoragePath
from domain.use_cases.claim_store import AdoptStore
from domain.use_cases.sweep import ORPHANED_AFTER
from ports.system import Unavailable
from tests.domain.world import World


class Pauses:
    """Instead of waiting, the clock goes on; after so many pauses, the sweeper stands still."""

    def __init__(self, world: World, most: int, meanwhile: Callable[[int], Awaitable[None]] | None = None) -> None:
        self.world, self.most, self.meanwhile = world, most, meanwhile
        self.lengths: list[float] = []
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        if len(self.lengths) == self.most:
            self.over.set()
            await asyncio.Event().wait()
        self.lengths.append(seconds)
        self.world.clock.advance(seconds=seconds)
        if self.meanwhile is not None:
            await self.meanwhile(len(self.lengths))


async def sweep_for(world: World, pauses: Pauses) -> None:
    async with swept_regularly(world.sweep, pauses):
        await pauses.over.wait()


@pytest.fixture
async def world() -> World:
    world = World()
    await world.claim_store()
    return world


async def test_all_objects_are_swept_every_six_hours_and_condemned_ones_every_ten_minutes(world: World) -> None:
    looks: list[tuple[timedelta, bool]] = []
    start = world.clock()

    async def note(number: int) -> None:
        swept_at = (await world.deployments.read()).swept_at
        looks.append((world.clock() - start, swept_at is not None))

    pauses = Pauses(world, 40, note)
    await sweep_for(world, pauses)
    assert set(pauses.lengths) == {DELETE_CONDEMNED_EVERY.total_seconds()}
    # At the first generation, and again six hours later.
    assert (await world.deployments.read()).swept_at == start + DELETE_CONDEMNED_EVERY + SWEEP_EVERY
    assert [swept for _, swept in looks] == [False] + [True] * 39


async def test_a_sweep_time_in_the_future_stops_no_sweep(world: World) -> None:
    await world.deployments.record_sweep(world.clock() + timedelta(days=365))
    await sweep_for(world, Pauses(world, 1))
    assert (await world.deployments.read()).swept_at == world.clock()


async def test_held_objects_and_inherited_orphans_are_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caller = await world.caller(quota_bytes=10_000)
    for _ in range(60):
        await world.record(caller)
    await world.upload(caller)
    world.clock.advance(days=2)
    await world.adopt_store()
    await world.upload(caller)
    world.clock.advance(days=2)

    async def delete(paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        return paths

    world.storage.delete = delete  # type: ignore[method-assign]
    await sweep_for(world, Pauses(world, 1))
    assert caplog.messages == [
        "the store refused to delete the objects at 1 paths; the next sweep tries again",
        "1 objects without a record are older than this database's claim on the store; run 'dossier sweep --yes' to "
        "delete them",
    ]


async def test_an_abandoned_upload_is_deleted_without_a_command(world: World) -> None:
    caller = await world.caller(quota_bytes=10_000)
    for _ in range(20):
        await world.record(caller)
    path = await world.upload(caller)
    await sweep_for(world, Pauses(world, int((ORPHANED_AFTER + SWEEP_EVERY) / DELETE_CONDEMNED_EVERY)))
    assert await world.storage.stat(path) is None
    assert len(await world.storage_paths()) == 20


async def test_too_many_orphans_are_left_to_an_operator(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    await sweep_for(world, Pauses(world, int((ORPHANED_AFTER + SWEEP_EVERY) / DELETE_CONDEMNED_EVERY)))
    assert await world.storage.stat(path) is not None
    assert sum("dossier sweep --yes" in message for message in caplog.messages) == 1


async def test_a_failure_is_logged_and_the_sweep_is_retried(world: World, caplog: pytest.LogCaptureFixture) -> None:
    failures = iter([Unavailable("the store is away"), ZeroDivisionError("a mistake of ours"), None])

    async def note(number: int) -> None:
        failure = next(failures, None)

        async def read_mark() -> str | None:
            if failure is not None:
                raise failure
            return f"{(await world.deployments.read()).id} {(await world.deployments.read()).generation}"

        world.storage.read_mark = read_mark  # type: ignore[method-assign]

    with caplog.at_level(logging.ERROR):
        await sweep_for(world, Pauses(world, 3, note))
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "the store is away" in caplog.messages[0]
    assert (await world.deployments.read()).swept_at == world.clock()


async def test_a_sweep_of_another_process_is_no_failure(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with world.deployments.exclusive():
        await sweep_for(world, Pauses(world, 2))
    assert caplog.messages == []
    assert (await world.deployments.read()).swept_at is None


async def test_a_store_of_another_database_is_not_swept(world: World, caplog: pytest.LogCaptureFixture) -> None:
    other = World()
    await AdoptStore(deployments=other.deployments, storage=world.storage, now=world.clock)()
    await sweep_for(world, Pauses(world, 1))
    assert "belongs to deployment" in caplog.messages[0]


async def test_the_end_of_the_block_cancels_a_running_sweep(world: World) -> None:
    begun = asyncio.Event()

    async def hang() -> str | None:
        begun.set()
        await asyncio.Event().wait()
        return None

    world.storage.read_mark = hang  # type: ignore[method-assign]
    async with swept_regularly(replace(world.sweep), Pauses(world, 1)):
        await begun.wait()
    async with world.deployments.exclusive() as is_alone:
        assert is_alone
