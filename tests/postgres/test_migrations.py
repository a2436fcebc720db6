"""The schema: made once by whoever comes first, and as the code believes it to be."""

import asyncio

from adapters.postgres.database import Database, open_database
from adapters.postgres.migrate import migrate, pending
from adapters.postgres.tables import TABLES


async def test_a_migrated_database_has_nothing_pending(database: Database) -> None:
    assert await pending(database) == []


async def test_many_migrate_at_once_and_each_finds_it_done(database_url: str, database: Database) -> None:
    await database.fetch("CREATE DATABASE contended")
    url = database_url.replace("/postgres?", "/contended?")
    async with open_database(url) as fresh:
        every = await pending(fresh)
        assert len(every) == 5
        await asyncio.gather(*(migrate(url) for _ in range(4)))
        assert await pending(fresh) == []
        assert (await fresh.fetch("SELECT count(*) AS n FROM migration"))[0]["n"] == len(every)


async def test_a_migration_that_was_killed_before_it_was_noted_is_not_made_again(
    database_url: str, database: Database
) -> None:
    await database.fetch("CREATE DATABASE unnoted")
    url = database_url.replace("/postgres?", "/unnoted?")
    async with open_database(url) as fresh:
        await migrate(url)
        await fresh.fetch("DELETE FROM migration")
        await migrate(url)
        assert await pending(fresh) == []


async def test_the_columns_the_builder_names_are_those_of_the_database(database: Database) -> None:
    for table in TABLES:
        rows = await database.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1", table._meta.tablename
        )
        assert {row["column_name"] for row in rows} == {column._meta.name for column in table._meta.columns}


async def test_every_unique_and_foreign_key_begins_with_the_workspace(database: Database) -> None:
    rows = await database.fetch("""
        SELECT c.conrelid::regclass::text AS tablename, a.attname AS first
        FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype IN ('p', 'u', 'f') AND c.connamespace = 'public'::regnamespace
    """)
    first = {(row["tablename"], row["first"]) for row in rows if row["tablename"] != "migration"}
    assert {column for table, column in first if table not in ("workspaces", "deployment")} == {"workspace_id"}
    assert len(first) == 10
