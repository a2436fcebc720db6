"""The connection pool: every wait has a limit, every connection comes back, and failures are `Unavailable`.

Changes of one workspace wait in the process, so that they do not occupy the connections of the pool.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress

import asyncpg
import pytest

from adapters.postgres.database import POOL_SIZE, Database, open_database
from adapters.postgres.not_begun import NotBegun
from adapters.postgres.rows import to_uuid
from ports.outcomes import Patched
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.repositories import postgres_records
from tests.postgres.locks import locked


@pytest.mark.parametrize("url", ["postgresql://u@127.0.0.1:1/none", "absent"], ids=["no server", "unknown database"])
async def test_opening_an_absent_database_is_unavailable(database_url: str, url: str) -> None:
    with pytest.raises(Unavailable):
        async with open_database(url if url != "absent" else database_url.replace("/postgres?", "/absent?")):
            pass


@pytest.mark.slow
async def test_every_wait_of_the_pool_has_a_limit_and_every_connection_comes_back(database: Database) -> None:
    sleeping = [asyncio.create_task(database.fetch("SELECT pg_sleep(30)")) for _ in range(POOL_SIZE)]
    await asyncio.sleep(0)
    with pytest.raises(NotBegun):
        await database.fetch("SELECT 1")
    assert not any(task.done() for task in sleeping)
    results = await asyncio.gather(*sleeping, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * POOL_SIZE
    assert len(await asyncio.gather(*(database.fetch("SELECT 1") for _ in range(POOL_SIZE)))) == POOL_SIZE


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
async def test_a_statement_that_gets_no_lock_has_not_begun(database: Database, database_url: str, limit: str) -> None:
    home = await postgres_records(database, StillClock()).workspace()
    async with open_database(database_url) as own, locked(database_url, home.id):
        await own.fetch(f"SET {limit} = 50")
        with pytest.raises(NotBegun):
            await own.fetch("SELECT FROM usage WHERE workspace_id = $1 FOR NO KEY UPDATE", to_uuid(home.id))


async def test_a_connection_that_the_server_closed_is_replaced(database_url: str) -> None:
    async with open_database(database_url) as own, open_database(database_url) as other:
        pid = (await own.fetch("SELECT pg_backend_pid() AS pid"))[0]["pid"]
        await other.fetch("SELECT pg_terminate_backend($1, 5000)", pid)
        # The first statement fails only if asyncpg has not noticed the end of the connection yet.
        with suppress(Unavailable):
            await own.fetch("SELECT 1")
        assert (await own.fetch("SELECT pg_backend_pid() AS pid"))[0]["pid"] != pid


SCRATCH = (
    "CREATE SCHEMA IF NOT EXISTS scratch",
    "CREATE TABLE IF NOT EXISTS scratch.parent (id integer PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS scratch.child (id integer REFERENCES scratch.parent DEFERRABLE INITIALLY DEFERRED)",
)


def fails(sql: str, error: type[Exception]) -> Callable[[Database, int], Awaitable[None]]:
    async def fail(database: Database, _: int) -> None:
        with pytest.raises(error):
            await database.fetch(sql)

    return fail


async def is_cancelled(database: Database, number: int) -> None:
    """Cancel a statement at every point: while it waits for a connection, is sent, runs, and is answered."""
    task = asyncio.create_task(database.fetch("SELECT pg_sleep(30)" if number % 2 else "SELECT 1"))
    for _ in range(number % 13):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "failure",
    [
        # Errors in our own code are not reported as Unavailable.
        pytest.param(fails("SELEC 1", asyncpg.PostgresSyntaxError), id="syntax error"),
        pytest.param(fails("SELECT 1 / 0", asyncpg.DivisionByZeroError), id="refused value"),
        pytest.param(fails("SELECT pg_terminate_backend(pg_backend_pid())", Unavailable), id="cut connection"),
        pytest.param(is_cancelled, id="cancelled"),
        # COMMIT fails, after the statement itself succeeded.
        pytest.param(fails("INSERT INTO scratch.child VALUES (1)", asyncpg.ForeignKeyViolationError), id="commit"),
    ],
)
async def test_every_connection_comes_back_after_a_failure(
    database_url: str, failure: Callable[[Database, int], Awaitable[None]]
) -> None:
    async with open_database(database_url) as database:
        for statement in SCRATCH:
            await database.fetch(statement)
        for number in range(100):
            await asyncio.gather(*(failure(database, number) for _ in range(2)))
            pool = database._pool
            assert pool.get_idle_size() == pool.get_size()
        # All of them work, at the same time.
        pids = await asyncio.gather(*(database.fetch("SELECT pg_backend_pid() AS pid") for _ in range(POOL_SIZE)))
        assert all(pids)


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
async def test_an_advisory_lock_is_free_after_its_connection_was_lost_and_the_block_raises_only_its_own_error(
    database: Database, error: type[Exception] | None
) -> None:
    with nullcontext() if error is None else pytest.raises(error):
        async with database.try_advisory_lock(4711) as is_held:
            assert is_held
            await database.fetch("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = $1", 4711)
            if error is not None:
                raise error
    async with database.try_advisory_lock(4711) as is_held:
        assert is_held


@pytest.mark.parametrize("error", [Unavailable, ZeroDivisionError, asyncio.CancelledError])
async def test_a_block_that_fails_under_an_advisory_lock_leaves_the_connection_open_and_the_lock_free(
    database: Database, database_url: str, error: type[BaseException]
) -> None:
    async with open_database(database_url) as own:
        (before,) = await own.fetch("SELECT pg_backend_pid()")
        with pytest.raises(error):  # noqa: PT012  the block is what fails
            async with own.try_advisory_lock(4712) as is_held:
                assert is_held
                raise error
        assert await own.fetch("SELECT pg_backend_pid()") == [before]
        async with database.try_advisory_lock(4712) as is_held:
            assert is_held


async def test_locks_share_a_connection_and_one_block_holds_each_lock(database: Database, database_url: str) -> None:
    async with open_database(database_url, size=2) as own, own.try_advisory_lock(4713) as outer:
        async with own.try_advisory_lock(4714) as inner, own.try_advisory_lock(4713) as twice:
            assert (outer, inner, twice) == (True, True, False)
            # Two jobs with locks need a connection for their statements.
            await own.fetch("SELECT 1")
        async with database.try_advisory_lock(4713) as held, database.try_advisory_lock(4714) as free:
            assert (held, free) == (False, True)
        await own.fetch("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = $1", 4713)
        async with own.try_advisory_lock(4713) as lost:
            assert not lost, "the outer block does not know that its lock was lost"
    assert own._locks._held == {}


async def test_changes_of_a_locked_workspace_wait_on_one_connection(database: Database, database_url: str) -> None:
    records = postgres_records(database, StillClock())
    home, free = await records.workspace(), await records.workspace()
    waits, passes = await records.recorded(home), await records.recorded(free)
    async with locked(database_url, home.id):
        # More changes than the pool has connections.
        waiting = [asyncio.create_task(records.patch(home, waits.id, name=f"{n}")) for n in range(4 * POOL_SIZE)]
        passed = await asyncio.gather(*(records.patch(free, passes.id, name=f"{n}") for n in range(4 * POOL_SIZE)))
        assert all(isinstance(outcome, Patched) for outcome in passed)
        assert not any(task.done() for task in waiting)
        waiting.pop(5).cancel()
    outcomes = await asyncio.gather(*waiting)
    revisions = [outcome.found.document.revision for outcome in outcomes if isinstance(outcome, Patched)]
    assert revisions == [*range(2, len(waiting) + 2)]
