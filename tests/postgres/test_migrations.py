"""Every migration after the baseline runs beside a working service and an open dump, and continues after a kill."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from uuid import UUID, uuid4

import asyncpg
import pytest

from adapters.postgres.database import SESSION, open_database
from adapters.postgres.migrate import migrate, pending
from adapters.postgres.upgrade.runner import Runner, connection_of_process
from tests.postgres.test_schema import SCHEMA, dump

Connection = asyncpg.Connection

CREATE = "SELECT outcome FROM record_documents($1, $2)"
DELETE = 'SELECT outcome FROM delete_document($1, $2, NULL, now(), \'{"operation": "delete"}\')'
MANY_FOLDERS = "SELECT ensure_folders($1, ARRAY(SELECT '/b/' || n FROM generate_series(1, 5000) AS n))"
READ = "SELECT facts FROM document_facts WHERE workspace_id = $1"
FIND = 'SELECT total FROM find_documents($1, \'{"folder": "/a", "recursive": true}\', NULL, 0, 10, 100, 100)'


def batch(*documents: UUID) -> str:
    """Return documents as a server of the first version sends them to `record_documents`."""
    return json.dumps(
        [
            {
                "document": {
                    "id": str(one),
                    "name": "Å",
                    "mime_type": "IMAGE/png",
                    "size_bytes": 1,
                    "etag": "e",
                    "tags": ["a b"],
                    "storage_path": f"workspaces/{one}",
                    "folder": f"/a/{one.hex[:2]}\u3000",
                    "revision": 1,
                    "created_by": str(one),
                    "created_by_key": str(one),
                    "created_at": "2026-01-01T00:00:00Z",
                    "updated_at": "2026-01-01T00:00:00Z",
                },
                "search_text": "å",
                "request_id": "r",
            }
            for one in documents
        ]
    )


async def upgrade(url: str, last: str = "all") -> asyncio.subprocess.Process:
    """Start the process in which `migrate` runs the migrations."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "adapters.postgres.upgrade.process", last),
        env=os.environ | {"DOSSIER_DATABASE_URL": url},
    )


COUNTS = """
SELECT documents, used_bytes, folders,
    (SELECT count(*) FROM documents WHERE documents.workspace_id = usage.workspace_id) AS recorded,
    (SELECT count(*) FROM folders WHERE folders.workspace_id = usage.workspace_id) AS made
FROM usage
"""
WAITING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'dossier migrate' AND wait_event_type = 'Lock'
"""


@asynccontextmanager
async def connected(url: str, **settings: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url, server_settings=SESSION | settings)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def first_url(empty_database_url: str) -> str:
    """The URL of a database of the first version, with documents of three workspaces."""
    url = empty_database_url
    assert await (await upgrade(url, "0001_baseline")).wait() == 0
    async with connected(url) as connection:
        for _ in range(3):
            home = uuid4()
            await connection.execute("INSERT INTO workspaces VALUES ($1, 'Home', $1, 'org', now())", home)
            await connection.execute("INSERT INTO usage (workspace_id, quota_bytes) VALUES ($1, 1000000)", home)
            await connection.execute(
                "INSERT INTO api_keys (workspace_id, id, user_id, name, prefix, digest, permissions, tier, created_at) "
                "VALUES ($1, $1, $1, 'Ø', 'wbk_', sha256($2), '{}', 'standard', now())",
                *(home, home.bytes),
            )
            await connection.fetch(CREATE, home, batch(*(uuid4() for _ in range(40))))
        # So many that a bad plan of a batch holds the workspace lock for more than a second.
        await connection.fetch(MANY_FOLDERS, home)
    return url


async def assert_is_complete(url: str) -> None:
    """Compare the schema, and the counters with the rows."""
    async with open_database(url) as database:
        assert await pending(database) == []
        assert await database.fetch("SELECT FROM pg_index WHERE NOT indisvalid") == []
        counts = await database.fetch(COUNTS)
        assert [(row["documents"], row["used_bytes"], row["folders"]) for row in counts] == [
            (row["recorded"], row["recorded"], row["made"]) for row in counts
        ]
    assert await asyncio.to_thread(dump, url) == SCHEMA.read_text()


class Service:
    """Clients that create, delete, read and find documents in a loop, as servers of the first version do."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.calls = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        clients = [self._create_and_delete, self._read, self._read]
        tasks = [asyncio.create_task(self._repeat(client)) for client in clients]
        for task in tasks:
            task.add_done_callback(self._stop_waiting)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] * len(tasks), [
            (result, getattr(result, "context", None)) for result in results
        ]

    def _stop_waiting(self, _: object) -> None:
        # A client failed, so the test must not wait for its calls.
        self.calls = 10**9

    async def _repeat(self, client: Callable[[Connection, UUID], Awaitable[None]]) -> None:
        # No call waits for locks for longer than a second.
        async with connected(self._url, lock_timeout="1s") as connection:
            homes = [row["id"] for row in await connection.fetch("SELECT id FROM workspaces")]
            while True:
                for home in homes:
                    await client(connection, home)
                    self.calls += 1
                # The machine has other work.
                await asyncio.sleep(0.01)

    async def _create_and_delete(self, connection: Connection, home: UUID) -> None:
        # Shielded: a cancelled statement could leave a document that the last migration did not see.
        document = uuid4()
        assert await connection.fetchval(CREATE, home, batch(document)) == "created"
        assert await connection.fetchval(DELETE, home, document) == "done"

    async def _read(self, connection: Connection, home: UUID) -> None:
        assert len(await connection.fetch(READ, home)) >= 40
        assert await connection.fetchval(FIND, home) >= 40


@pytest.mark.slow
async def test_no_migration_stops_a_request_while_a_dump_is_open(first_url: str) -> None:
    async with open_database(first_url) as database:
        migrations = await pending(database)
    service = Service(first_url)
    async with connected(first_url) as dumping, connected(first_url) as observer, service.running():
        for migration in migrations:
            snapshot = dumping.transaction(isolation="repeatable_read")
            await snapshot.start()
            for row in await dumping.fetch(
                "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND oid > 16384"
            ):
                await dumping.fetch(f"SELECT FROM {row['name']} LIMIT 1")
            running = asyncio.create_task((await upgrade(first_url, migration)).wait())
            while not running.done() and not await observer.fetchval(f"SELECT EXISTS ({WAITING})"):
                await asyncio.wait([running], timeout=0.02)
            calls = service.calls
            while not running.done() and service.calls < calls + 100 and service.calls < 10**9:
                await asyncio.wait([running], timeout=0.02)
            await snapshot.rollback()
            assert await running == 0, migration
    await assert_is_complete(first_url)


# A sequence keeps its value when a transaction is rolled back. So every second attempt to record a step succeeds.
KILLS = """
CREATE SEQUENCE migration_attempts;
CREATE FUNCTION migration_kill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('migration_attempts') % 2 = 1 THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER migration_kill BEFORE INSERT ON migration_steps FOR EACH ROW EXECUTE FUNCTION migration_kill();
"""


@pytest.mark.slow
async def test_a_migration_that_is_killed_at_each_step_continues(first_url: str) -> None:
    async with open_database(first_url) as database:
        migrations = await pending(database)
    async with connected(first_url) as connection:
        await Runner(connection, "").has_begun()
        await connection.execute(KILLS)
    kills = 0
    for migration in migrations:
        manager = await import_module(f"adapters.postgres.migrations.{migration}").forwards()
        is_complete = False
        while not is_complete:
            async with connected(first_url, statement_timeout="0") as connection:
                connection_of_process.set(connection)
                with suppress(asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError, asyncpg.InterfaceError):
                    for step in manager.raw:
                        await step()
                    is_complete = True
            kills += not is_complete
    async with connected(first_url) as connection:
        assert kills >= await connection.fetchval("SELECT count(*) FROM migration_steps")
        await connection.execute("DROP FUNCTION migration_kill CASCADE; DROP SEQUENCE migration_attempts")
    await migrate(first_url)
    await assert_is_complete(first_url)
    async with connected(first_url) as connection:
        texts = await connection.fetch("SELECT DISTINCT search_text, mime_type FROM documents")
        assert [tuple(row) for row in texts] == [("a\n", "image/png")]


@pytest.mark.slow
async def test_an_index_whose_build_was_killed_is_built_again(first_url: str) -> None:
    building = f"{WAITING} AND wait_event = 'virtualxid'"
    async with connected(first_url) as old, connected(first_url) as observer:
        # Every build waits for this snapshot, which holds no lock.
        await old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        killed = await upgrade(first_url)
        while not (pid := await observer.fetchval(building)):
            assert killed.returncode is None
        killed.kill()
        await killed.wait()
        assert await observer.fetchval(
            "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass('documents_grams')"
        )
        following = await upgrade(first_url)
        while await observer.fetchval(building) in (None, pid):
            assert following.returncode is None
        await old.execute("ROLLBACK")
        assert await following.wait() == 0
    await assert_is_complete(first_url)
