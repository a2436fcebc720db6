"""Only one process sweeps at a time, and only with the database to which the store belongs."""

from copy import copy
from dataclasses import replace

import pytest

from domain.use_cases.generations import ForeignStore, TaskTaken
from ports.deployment import Task
from tests.domain.test_sweep import condemn
from tests.domain.world import World

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


async def test_a_store_cannot_be_adopted_during_a_sweep(world: World) -> None:
    async with world.deployments.exclusive(Task.SWEEP):
        with pytest.raises(TaskTaken):
            await world.adopt_store()
    await world.claim_store()
