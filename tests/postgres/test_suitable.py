"""The checks of a Postgres server and its settings, on databases that were created with other ones."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from adapters.postgres.embedded import open_embedded
from adapters.postgres.migrate import migrate
from adapters.postgres.suitable import check_server
from ports.checks import Grade
from ports.system import Unavailable

pytestmark = pytest.mark.slow

CHECKS = ("version", "encoding", "locale", "durability", "snapshots")


@pytest.fixture(scope="module")
async def server_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server as Dossier embeds it, which allows prepared transactions too."""
    options = ("-c", "max_prepared_transactions=2")
    async with open_embedded(Path(tmp_path_factory.mktemp("postgres")), options=options) as url:
        yield url


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def created(server_url: str, like: str = "", *settings: str) -> str:
    """Create a database, and return its URL. In the settings, {} is its name."""
    name = f"made_{uuid4().hex}"
    await execute(server_url, f"CREATE DATABASE {name} {like}", *(setting.format(name) for setting in settings))
    return server_url.replace("/postgres?", f"/{name}?")


async def found(url: str, old: timedelta = timedelta(hours=1)) -> dict[str, tuple[Grade, str]]:
    results = await check_server(url, old)
    return {result.check.removeprefix("database "): (result.grade, result.found) for result in results}


async def test_the_embedded_server_passes_every_check(server_url: str) -> None:
    results = await found(server_url)
    assert {name: grade for name, (grade, _) in results.items()} == dict.fromkeys(CHECKS, Grade.OK), results


@pytest.mark.parametrize(
    ("like", "check", "words"),
    [
        ("ENCODING 'LATIN1' LOCALE 'C'", "encoding", ("LATIN1", "ENCODING 'UTF8'")),
        ("ENCODING 'SQL_ASCII' LOCALE 'C'", "encoding", ("SQL_ASCII", "ENCODING 'UTF8'")),
        ("ENCODING 'UTF8' LOCALE 'C'", "locale", ("LC_CTYPE C", "LOCALE 'C.UTF-8'")),
        ("ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C'", "locale", ("LC_CTYPE C", "LOCALE 'C.UTF-8'")),
    ],
)
async def test_a_database_that_cannot_hold_or_find_every_text_is_not_migrated(
    server_url: str, like: str, check: str, words: tuple[str, ...]
) -> None:
    url = await created(server_url, f"TEMPLATE template0 {like}")
    grade, text = (await found(url))[check]
    assert grade is Grade.FAILED
    assert all(word in text for word in words)
    with pytest.raises(Unavailable, match=f"database {check}: "):
        await migrate(url)


async def test_a_database_in_use_is_migrated_whatever_letters_its_locale_knows(server_url: str) -> None:
    url = await created(server_url, "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    await execute(url, "CREATE EXTENSION pg_trgm", "CREATE TABLE workspaces (id uuid)")
    assert (await found(url))["locale"][0] is Grade.DEGRADED
    # The table is not ours: the first migration says so.
    with pytest.raises(Unavailable, match='"workspaces" already exists'):
        await migrate(url)


async def test_a_user_who_may_not_create_the_extension_or_see_all_sessions_learns_the_remedy(server_url: str) -> None:
    name = f"user_{uuid4().hex}"
    url = (await created(server_url, "", f"CREATE ROLE {name} LOGIN")).replace("//dossier@", f"//{name}@")
    results = await found(url)
    assert results["locale"][0] is Grade.FAILED
    assert "CREATE EXTENSION pg_trgm" in results["locale"][1]
    assert "GRANT pg_read_all_stats" in results["snapshots"][1]


async def test_a_setting_that_may_lose_acknowledged_documents_is_reported(server_url: str, database_url: str) -> None:
    url = await created(server_url, "", "ALTER ROLE dossier IN DATABASE {} SET synchronous_commit = off")
    grade, text = (await found(url))["durability"]
    assert (grade, text.partition(": ")[0]) == (Grade.FAILED, "synchronous_commit is off")
    # The server of the tests is fast.
    text = (await found(database_url))["durability"][1]
    assert "fsync is off" in text
    assert "full_page_writes is off" in text


async def test_everything_that_holds_back_vacuum_is_reported_with_the_statement_that_ends_it(server_url: str) -> None:
    url = await created(server_url)
    holder = await asyncpg.connect(url, server_settings={"application_name": "pg_dump"})
    await holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    await execute(url, "BEGIN; SELECT txid_current(); PREPARE TRANSACTION 'left'")
    await execute(url, "SELECT pg_create_physical_replication_slot('gone', true)")
    try:
        grade, text = (await found(url, old=timedelta(0)))["snapshots"]
        assert grade is Grade.DEGRADED
        assert "(pg_dump, user dossier), open for 0:00:0" in text
        assert f"SELECT pg_terminate_backend({holder.get_server_pid()})" in text
        assert "COMMIT or ROLLBACK PREPARED 'left'" in text
        assert "SELECT pg_drop_replication_slot('gone')" in text
    finally:
        await execute(url, "ROLLBACK PREPARED 'left'", "SELECT pg_drop_replication_slot('gone')")
        await holder.close()
    assert (await found(url))["snapshots"][0] is Grade.OK
