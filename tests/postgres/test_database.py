"""Connections are bounded in every wait and never lost, and there is one way to fail."""

import asyncio
from contextlib import suppress

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
