"""A database that makes its plans while its tables are empty and is then filled, and that counts the rows it reads."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from adapters.postgres.database import SESSION, Database, Row
from adapters.postgres.migrate import migrate

_READ = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables"

# Enough rows that a single scan exceeds every limit of the tests.
_FILL = (
    """
    INSERT INTO objects (workspace_id, storage_path, size_bytes, etag, document_id, state)
    SELECT $1, 'filled/' || n, 1, 'e1', lpad(to_hex(n), 32, '0')::uuid, 'recorded' FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO folders (workspace_id, id, path, path_digest)
    SELECT $1, lpad(to_hex(n), 32, '0')::uuid, '/filled/' || n, sha256(n::text::bytea) FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO documents (
        workspace_id, id, name, mime_type, storage_path, folder_id, tags, search_text, revision, created_by,
        created_by_key, created_at, updated_at
    )
    SELECT $1, lpad(to_hex(n), 32, '0')::uuid, 'filled', 'a/b', 'filled/' || n, lpad(to_hex(n), 32, '0')::uuid,
        '{filled}', 'filled ' || md5(n::text), 1, $1, $1, now(), now()
    FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO receipts (workspace_id, key_hash, operation, fingerprint, facts, expires_at)
    SELECT $1, gen_random_uuid(), 'create_document', sha256('a'), '{}', now() FROM generate_series(1, 20000)
    """,
    """
    INSERT INTO entity_links (workspace_id, id, document_id, entity_type, entity_id, created_at)
    SELECT $1, gen_random_uuid(), id, 'task', 'filled', now() FROM documents
    WHERE workspace_id = $1 AND name = 'filled'
    """,
    "UPDATE usage SET documents = documents + 20000, used_bytes = used_bytes + 20000 WHERE workspace_id = $1",
)


class OneConnection(Database):
    """A database on a single connection, which keeps its plans."""

    def __init__(self, connection: Any) -> None:
        super().__init__(None)
        self.connection = connection

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        rows: Sequence[Row] = await self.connection.fetch(sql, *arguments)
        return rows

    async def read_by(self, work: Callable[[], Awaitable[object]]) -> int:
        """Return the number of rows that the work reads."""
        async with self.connection.transaction():
            before: int = await self.connection.fetchval(_READ)
            await work()
            after: int = await self.connection.fetchval(_READ)
        return after - before

    async def fill(self, workspace: UUID) -> None:
        """Add 20,000 rows to each table, with older ids than all other rows."""
        await self.connection.execute("SET statement_timeout = 0")
        for statement in _FILL:
            await self.connection.execute(statement, workspace)
        await self.connection.execute("RESET statement_timeout")


@asynccontextmanager
async def open_empty(database: Database, database_url: str) -> AsyncIterator[OneConnection]:
    """Create a migrated database and open one connection to it."""
    name = f"empty_{uuid4().hex}"
    await database.fetch(f"CREATE DATABASE {name}")
    url = database_url.replace("/postgres?", f"/{name}?")
    await migrate(url)
    connection = await asyncpg.connect(url, server_settings=SESSION)
    try:
        yield OneConnection(connection)
    finally:
        await connection.close()
