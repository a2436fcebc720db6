"""Changes of one workspace queue in the process, before they take a connection."""

import asyncio

import asyncpg

from adapters.postgres.changes import WorkspaceQueues
from adapters.postgres.database import POOL_SIZE, Database
from adapters.postgres.rows import to_uuid
from domain.ids import WorkspaceId
from ports.outcomes import Patched
from tests.clock import StillClock
from tests.contracts.records import postgres_records


async def test_changes_of_a_workspace_run_one_at_a_time_in_their_order_and_leave_no_queue_behind() -> None:
    queues, running, running_max, order = WorkspaceQueues(), 0, 0, list[int]()

    async def change(number: int) -> None:
        nonlocal running, running_max
        async with queues.of(WorkspaceId("ws_1")):
            running += 1
            running_max = max(running_max, running)
            await asyncio.sleep(0)
            order.append(number)
            running -= 1

    waiting = [asyncio.create_task(change(number)) for number in range(10)]
    await asyncio.sleep(0)
    waiting[5].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (running_max, order) == (1, [0, 1, 2, 3, 4, 6, 7, 8, 9])
    assert queues._locks == {}


async def test_a_locked_workspace_occupies_one_connection_however_many_changes_wait(
    database: Database, database_url: str
) -> None:
    records = postgres_records(database, StillClock())
    locked, free = await records.workspace(), await records.workspace()
    waits, passes = await records.recorded(locked), await records.recorded(free)
    connection = await asyncpg.connect(database_url)
    async with connection.transaction():
        await connection.execute("SELECT FROM usage WHERE workspace_id = $1 FOR NO KEY UPDATE", to_uuid(locked.id))
        # More changes than the pool has connections.
        waiting = [asyncio.create_task(records.patch(locked, waits.id, name=f"{n}")) for n in range(4 * POOL_SIZE)]
        passed = await asyncio.gather(*(records.patch(free, passes.id, name=f"{n}") for n in range(4 * POOL_SIZE)))
        assert all(isinstance(outcome, Patched) for outcome in passed)
        assert not any(task.done() for task in waiting)
    await connection.close()
    assert all(isinstance(outcome, Patched) for outcome in await asyncio.gather(*waiting))
