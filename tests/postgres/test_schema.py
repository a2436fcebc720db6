"""The schema that the migrations create, and how they create it."""

import asyncio
import re
import subprocess
import tempfile
from importlib import import_module
from pathlib import Path

import pytest

from adapters.postgres.database import Database, open_database
from adapters.postgres.embedded import find_binaries, open_embedded
from adapters.postgres.migrate import migrate, pending
from adapters.postgres.piccolo_app import MIGRATIONS
from adapters.postgres.tables import TABLES
from adapters.postgres.upgrade.steps import Batches
from ports.system import Unavailable

SCHEMA = MIGRATIONS.parent / "schema.sql"
SQL = MIGRATIONS.parent / "sql"
_PACKAGE = "adapters.postgres.migrations"

_HEAD = """\
-- The current schema: what all migrations together create. Generated: `make generated` writes it.
-- The reasons are in migrations/, the functions and views one by one in sql/. This version calls no
-- superseded function: only servers of an earlier version do, while they run on the same database.
"""
_BLOCK = re.compile(r"^--\n-- Name: (.+); Type: ([A-Z ]+); Schema: .*\n--\n\n", re.MULTILINE)


def dump(url: str) -> str:
    """Return the schema of a database as pg_dump prints it, without settings.

    Of each function, the schema has only the signature, and its successor if it has one.
    """
    command = [str(find_binaries() / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges", url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    _, *blocks = _BLOCK.split(output.partition("--\n-- PostgreSQL database dump complete")[0])
    statements, functions = [], []
    for name, kind, text in zip(blocks[::3], blocks[1::3], blocks[2::3], strict=True):
        if name.startswith("migration"):
            continue  # Piccolo's own table
        if kind == "FUNCTION":
            functions.append(name)
        elif kind != "COMMENT":
            statements.append(re.sub(r"\n+", "\n", re.sub(r"^SET .*\n", "", text, flags=re.MULTILINE)))
    named = {signature.partition("(")[0] for signature in functions}
    lines = [f"-- FUNCTION {signature}{_successor(signature.partition('(')[0], named)}\n" for signature in functions]
    return "\n".join([_HEAD, *statements, "".join(lines)])


def _successor(function: str, functions: set[str]) -> str:
    name, _, version = function.partition("_v")
    following = f"{name}_v{int(version or 1) + 1}"
    return f" -- superseded by {following}" if following in functions else ""


async def test_schema_sql_is_what_the_migrations_create(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    assert await asyncio.to_thread(dump, empty_database_url) == SCHEMA.read_text(), _HEAD


def test_each_sql_file_is_run_by_one_migration_and_named_after_it_or_after_what_it_creates() -> None:
    names = sorted(path.stem for path in MIGRATIONS.glob("0*.py"))
    assert len({name[:4] for name in names}) == len(names)
    migrations = [import_module(f"{_PACKAGE}.{name}") for name in names]
    assert [migration.ID for migration in migrations] == names
    run = []
    for migration in migrations:
        # Only the first two were written before there were steps.
        steps = migration.FILES if migration.ID < "0003" else migration.STEPS
        files = [getattr(step, "file", step) for step in steps if not isinstance(step, Batches)]
        assert all(file.startswith(("sql/", f"migrations/{migration.ID}")) for file in files)
        run += files
    present = [*SQL.iterdir(), *MIGRATIONS.glob("*.sql")]
    assert sorted(run) == sorted(f"{path.parent.name}/{path.name}" for path in present)
    for path in SQL.iterdir():
        assert re.findall(r"^CREATE (?:FUNCTION|VIEW) (\w+)", path.read_text(), re.MULTILINE) == [path.stem]


async def test_one_of_many_processes_migrates_and_an_unrecorded_migration_is_not_rerun(empty_database_url: str) -> None:
    async with open_database(empty_database_url) as empty:
        expected = await pending(empty)
        assert expected[0] == "0001_baseline"
        await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))
        assert await pending(empty) == []
        assert [row["name"] for row in await empty.fetch("SELECT name FROM migration ORDER BY name")] == expected
        # A process that is killed between a migration and its record leaves this.
        await empty.fetch("DELETE FROM migration")
        await migrate(empty_database_url)
        assert await pending(empty) == []


async def test_a_migration_that_fails_half_way_leaves_nothing_and_runs_again(empty_database_url: str) -> None:
    async with open_database(empty_database_url) as empty:
        # The migration creates the tables first, and this view after them.
        await empty.fetch("CREATE VIEW document_facts AS SELECT 1 AS conflict")
        with pytest.raises(Unavailable, match="document_facts"):
            await migrate(empty_database_url)
        assert (await empty.fetch("SELECT to_regclass('workspaces') AS made"))[0]["made"] is None
        await empty.fetch("DROP VIEW document_facts")
        await migrate(empty_database_url)
        assert await pending(empty) == []


async def test_the_query_builder_names_the_columns_of_the_schema(database: Database) -> None:
    for table in TABLES:
        rows = await database.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1", table._meta.tablename
        )
        assert {row["column_name"] for row in rows} == {column._meta.name for column in table._meta.columns}


async def test_every_unique_key_and_foreign_key_begins_with_the_workspace(database: Database) -> None:
    rows = await database.fetch("""
        SELECT c.conrelid::regclass::text AS tablename, a.attname AS first
        FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype IN ('p', 'u', 'f') AND c.connamespace = 'public'::regnamespace
    """)
    first = {(row["tablename"], row["first"]) for row in rows if not row["tablename"].startswith("migration")}
    assert {column for table, column in first if table not in ("workspaces", "deployment")} == {"workspace_id"}
    assert len(first) == 11


async def _write() -> None:
    with tempfile.TemporaryDirectory(prefix="dossier-") as directory:
        async with open_embedded(Path(directory)) as url:
            await migrate(url)
            SCHEMA.write_text(await asyncio.to_thread(dump, url))


if __name__ == "__main__":
    asyncio.run(_write())
