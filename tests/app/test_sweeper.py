"""The background sweeper keeps its intervals, logs every failure, and goes on after it."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from app.jobs.sweeper import DELETE_CONDEMNED_EVERY, SWEEP_EVERY, swept_regularly
from domain.paths import StoragePath
from domain.use_cases.sweep import ORPHANED_AFTER
from ports.deployment import Task
from ports.system import Unavailable
from tests.app.pauses import Pauses
from tests.domain.world import World

UNTIL_AN_ORPHAN_IS_SWEPT = int((ORPHANED_AFTER + SWEEP_EVERY) / DELETE_CONDEMNED_EVERY)
"""The number of sweeps after which an upload that is made now is deleted."""


@pytest.fixture
async def world() -> World:
    world = World()
    await world.claim_store()
    return world


async def turn(world: World, count: int = 1) -> Pauses:
    """Run the sweeper `count` times. Return its pauses."""
    pauses = Pauses(world.clock)
    async with swept_regularly(world.sweep, pauses):
        await pauses.turn(count)
    return pauses


async def swept_at(world: World) -> object:
    return (await world.deployments.read()).swept_at


async def test_condemned_objects_are_deleted_every_10_minutes_and_all_objects_swept_every_6_hours(world: World) -> None:
    start = world.clock()
    caller = await world.caller()
    pauses = Pauses(world.clock)
    async with swept_regularly(world.sweep, pauses):
        await pauses.turn()
        document = await world.record(caller)
        await world.delete_document(caller, document.id, None)
        await pauses.turn()
        assert await world.storage.stat(document.storage_path) is None
        assert await swept_at(world) == start + DELETE_CONDEMNED_EVERY
        await pauses.turn(38)
    assert set(pauses.lengths) == {DELETE_CONDEMNED_EVERY.total_seconds()}
    assert await swept_at(world) == start + DELETE_CONDEMNED_EVERY + SWEEP_EVERY


async def test_of_all_processes_one_sweeps_every_ten_minutes(world: World) -> None:
    await turn(world)
    by_another = world.clock() + DELETE_CONDEMNED_EVERY / 2
    await world.deployments.begin_sweep(by_another)
    await turn(world)
    assert (await world.deployments.read()).sweep_began_at == by_another
    await turn(world)
    assert (await world.deployments.read()).sweep_began_at == world.clock()


async def test_a_sweep_time_in_the_future_stops_no_sweep(world: World) -> None:
    await world.deployments.record_sweep(world.clock() + 2 * ORPHANED_AFTER)
    await turn(world)
    assert await swept_at(world) == world.clock()


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
    await turn(world)
    assert caplog.messages == [
        "the store refused to delete the objects at 1 path; the next complete sweep tries again",
        "1 object without a record from before this database's claim on the store; run 'dossier sweep --yes' to "
        "delete them",
    ]


async def test_many_unexplained_orphans_are_left_to_an_operator(world: World, caplog: pytest.LogCaptureFixture) -> None:
    path = StoragePath(f"workspaces/{(await world.caller()).workspace_id}/imported/a.pdf")
    world.storage.swap(path, b"stored by other means")
    await turn(world, UNTIL_AN_ORPHAN_IS_SWEPT)
    assert await world.storage.stat(path) is not None
    (message,) = caplog.messages
    assert "dossier sweep --yes" in message


async def test_a_failure_is_logged_and_the_sweep_is_retried(world: World, caplog: pytest.LogCaptureFixture) -> None:
    failures = [Unavailable("the store is away"), ZeroDivisionError("a bug")]
    read_mark = world.storage.read_mark

    async def failing() -> str | None:
        if failures:
            raise failures.pop(0)
        return await read_mark()

    world.storage.read_mark = failing  # type: ignore[method-assign]
    await turn(world, 3)
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "the store is away" in caplog.messages[0]
    assert await swept_at(world) == world.clock()


async def test_a_sweep_of_another_process_is_no_failure(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with world.deployments.exclusive(Task.SWEEP):
        await turn(world, 2)
    assert caplog.messages == []
    assert await swept_at(world) is None


async def test_the_end_of_the_block_cancels_a_running_sweep(world: World) -> None:
    begun = asyncio.Event()

    async def hang() -> str | None:
        begun.set()
        await asyncio.Event().wait()
        return None

    world.storage.read_mark = hang  # type: ignore[method-assign]
    pauses = Pauses(world.clock)
    async with swept_regularly(world.sweep, pauses):
        await pauses.end()
        await begun.wait()
    async with world.deployments.exclusive(Task.SWEEP) as is_alone:
        assert is_alone
