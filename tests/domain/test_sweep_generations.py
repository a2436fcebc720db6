"""Only one process sweeps at a time, and only with the database to which the store belongs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import replace

import pytest

from domain.use_cases.generations import ForeignStore, TaskTaken
from ports.deployment import Task
from ports.system import Unavailable
from tests.domain.test_sweep import condemn
from tests.domain.world import Instead, World

pytestmark = pytest.mark.usefixtures("claimed")


async def test_one_process_sweeps_at_a_time(world: World) -> None:
    async with world.deployments.exclusive(Task.SWEEP):
        with pytest.raises(TaskTaken):
            await world.sweep()
        with pytest.raises(TaskTaken):
            await world.sweep.without_listing()
    await world.sweep()


async def test_a_database_restored_from_a_dump_does_not_sweep(world: World) -> None:
    caller = await world.caller()
    dump = copy(world.deployments)
    await world.sweep.without_listing()
    orphan, condemned = await world.upload(caller), await world.upload(caller)
    await condemn(world, caller, [condemned])
    world.clock.advance(days=1)
    restored = replace(world.sweep, deployments=dump)
    claim = replace(world.claim_store, deployments=dump)
    for attempt in (restored(yes=True), restored(dry_run=True), restored.without_listing(), claim()):
        with pytest.raises(ForeignStore, match="restored from a dump or copied"):
            await attempt
    assert await world.storage_paths() == {orphan, condemned}


async def test_a_database_does_not_sweep_a_store_that_is_not_its_own(world: World) -> None:
    other = World()
    sweep = replace(world.sweep, storage=other.storage)
    with pytest.raises(ForeignStore, match="has no mark"):
        await sweep(yes=True)
    await other.claim_store()
    with pytest.raises(ForeignStore, match="belongs to deployment"):
        await sweep(yes=True)


@pytest.mark.parametrize("moment", ["before the store", "after the store"])
async def test_the_mark_is_recognised_after_an_interrupted_change_of_generation(world: World, moment: str) -> None:
    async def write_mark(mark: str, *, replace: bool) -> bool:
        if moment == "after the store":
            await world.storage.write_mark(mark, replace=replace)
        raise Unavailable("the power went")

    with pytest.raises(Unavailable):
        await replace(world.sweep, storage=Instead(world.storage, write_mark=write_mark))()
    await world.sweep()
    deployment = await world.deployments.read()
    assert deployment.next_generation is None
    assert await world.storage.read_mark() == f"{deployment.id} {deployment.generation}"


async def test_a_store_cannot_be_adopted_during_a_sweep(world: World) -> None:
    async with world.deployments.exclusive(Task.SWEEP):
        with pytest.raises(TaskTaken):
            await world.adopt_store()
    await world.claim_store()


async def test_the_mark_is_recognised_after_two_sweeps_at_once(world: World) -> None:
    second = replace(world.sweep, deployments=NotLocked(world.deployments))

    async def write_mark(mark: str, *, replace: bool) -> bool:
        # The connection of the first is lost, and the second begins and ends, before this reaches the store.
        await second.without_listing()
        return await world.storage.write_mark(mark, replace=replace)

    async def cut(generation: str, changes: int) -> None:
        raise Unavailable(f"the connection was lost before {generation} and {changes} were recorded")

    first = replace(
        world.sweep,
        storage=Instead(world.storage, write_mark=write_mark),
        deployments=Instead(world.deployments, begin_generation=cut),
    )
    with pytest.raises(Unavailable):
        await first.without_listing()
    await world.sweep.without_listing()


class NotLocked(Instead):
    """Deployments that always grant the lock, as after a lost connection."""

    @asynccontextmanager
    async def exclusive(self, task: Task) -> AsyncIterator[bool]:
        yield True
