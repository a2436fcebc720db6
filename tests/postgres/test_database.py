"""Connections are bounded in every wait and never lost, and there is one way to fail."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
import pytest

from adapters.postgres.database import POOL_SIZE, Database, open_database
from ports.system import Unavailable


async def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        async with open_database("postgresql://u@127.0.0.1:1/none"):
            pass


async def test_an_unknown_database_is_unavailable(database_url: str) -> None:
    with pytest.raises(Unavailable):
        async with open_database(database_url.replace("/postgres?", "/absent?")):
            pass


@pytest.mark.slow
async def test_a_statement_that_takes_too_long_is_unavailable_and_its_connection_comes_back(database: Database) -> None:
    for _ in range(2):
        results = await asyncio.gather(
            *(database.fetch("SELECT pg_sleep(30)") for _ in range(POOL_SIZE)), return_exceptions=True
        )
        assert all(isinstance(result, Unavailable) for result in results)
    assert (await database.fetch("SELECT 1 AS one"))[0]["one"] == 1


@pytest.mark.slow
async def test_a_full_pool_is_unavailable_and_not_waited_for_without_end(database: Database) -> None:
    held = [asyncio.create_task(database.fetch("SELECT pg_sleep(2.5)")) for _ in range(POOL_SIZE)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await database.fetch("SELECT 1")
    await asyncio.gather(*held)


async def test_a_cancelled_statement_gives_its_connection_back(database: Database) -> None:
    for _ in range(POOL_SIZE + 1):
        task = asyncio.create_task(database.fetch("SELECT pg_sleep(30)"))
        while not (await database.fetch("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'")):
            pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_connections_cut_by_the_server_are_unavailable_once_and_then_replaced(database_url: str) -> None:
    async with open_database(database_url) as own, open_database(database_url) as other:
        pid = (await own.fetch("SELECT pg_backend_pid() AS pid"))[0]["pid"]
        await other.fetch("SELECT pg_terminate_backend($1, 5000)", pid)
        # Whether asyncpg has noticed already decides whether the first try fails; how it may fail is what counts.
        with suppress(Unavailable):
            await own.fetch("SELECT 1")
        assert (await own.fetch("SELECT pg_backend_pid() AS pid"))[0]["pid"] != pid


async def test_a_mistake_of_ours_is_not_called_unavailable(database: Database) -> None:
    with pytest.raises(Exception, match="syntax error"):
        await database.fetch("SELEC 1")


SCRATCH = (
    "CREATE SCHEMA IF NOT EXISTS scratch",
    "CREATE TABLE IF NOT EXISTS scratch.parent (id integer PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS scratch.child (id integer REFERENCES scratch.parent DEFERRABLE INITIALLY DEFERRED)",
)


async def mistaken(database: Database, _: int) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await database.fetch("SELEC 1")


async def refused(database: Database, _: int) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        await database.fetch("SELECT 1 / 0")


async def cut(database: Database, _: int) -> None:
    with pytest.raises(Unavailable):
        await database.fetch("SELECT pg_terminate_backend(pg_backend_pid())")


async def cancelled(database: Database, number: int) -> None:
    """At every point of its way: while it waits for a connection, while it is sent, while it is answered."""
    task = asyncio.create_task(database.fetch("SELECT 1"))
    for _ in range(number % 12):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def deferred(database: Database, _: int) -> None:
    """Refused by COMMIT, after the statement itself went well."""
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await database.fetch("INSERT INTO scratch.child VALUES (1)")


@pytest.mark.parametrize("fails", [mistaken, refused, cut, cancelled, deferred])
async def test_every_connection_comes_back_whatever_fails(
    database_url: str, fails: Callable[[Database, int], Awaitable[None]]
) -> None:
    async with open_database(database_url) as database:
        for statement in SCRATCH:
            await database.fetch(statement)
        for number in range(200):
            await asyncio.gather(*(fails(database, number) for _ in range(2)))
            pool = database._pool
            assert pool.get_idle_size() == pool.get_size()
        # And each of them works, all at the same time.
        pids = await asyncio.gather(*(database.fetch("SELECT pg_backend_pid() AS pid") for _ in range(POOL_SIZE)))
        assert all(pids)


async def test_a_lock_whose_connection_was_lost_is_free_and_what_was_done_meanwhile_is_no_failure(
    database: Database,
) -> None:
    lock = 4711
    async with database.try_advisory_lock(lock) as is_alone:
        assert is_alone
        await database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1", lock
        )
    async with database.try_advisory_lock(lock) as is_alone:
        assert is_alone


async def test_a_failure_of_the_block_comes_out_as_it_is_though_the_connection_was_lost(database: Database) -> None:
    async def break_off() -> None:
        async with database.try_advisory_lock(4712):
            await database.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712"
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
