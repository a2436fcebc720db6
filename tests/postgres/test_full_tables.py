"""The number of rows that reads and writes touch when the tables are full. Rows are counted, because times vary.

The server runs ANALYZE by itself within a minute after many changes, and then plans everything anew.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from adapters.postgres import statements
from adapters.postgres.database import SESSION, Database, Row
from adapters.postgres.rows import to_uuid
from domain.access import Workspace
from domain.entity_links import EntityType
from domain.pages import Page
from domain.paths import FolderPath
from domain.search import COUNT_MAX, EVERYTHING, DocumentFilter
from ports.queries import After
from tests.clock import StillClock
from tests.contracts.records import Records, new_key
from tests.contracts.repositories import postgres_records

HITS = 20

FILTERS = {
    "everything": EVERYTHING,
    "a folder and all below it": DocumentFilter(folder=FolderPath("/hits")),
    "a folder alone": DocumentFilter(folder=FolderPath("/hits/3"), recursive=False),
    "a tag": DocumentFilter(tags=("hit",)),
    "a media type": DocumentFilter(mime_type="application/pdf"),
    "a search": DocumentFilter(words=("needle",)),
    "a search without matches": DocumentFilter(words=("nowhere", "at all")),
    "a time": DocumentFilter(created_after=StillClock()()),
    "all together": DocumentFilter(
        folder=FolderPath("/hits"), tags=("hit",), words=("needle",), created_after=StillClock()()
    ),
}


READ = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables"

# Enough rows that a single scan exceeds every limit of the tests.
FILL = (
    """
    INSERT INTO objects (workspace_id, storage_path, size_bytes, etag, document_id, state)
    SELECT $1, 'filled/' || n, 1, 'e1', lpad(to_hex(n), 32, '0')::uuid, 'recorded' FROM generate_series(1, 20000) n
    """,
    # Their parents do not exist, so no list of folders returns them.
    """
    INSERT INTO folder_tree (workspace_id, id, parent_id, name)
    SELECT $1, lpad(to_hex(n), 32, '0')::uuid, gen_random_uuid(), n FROM generate_series(1, 20000) n
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


FILL_ONE_FOLDER = (
    """
    INSERT INTO objects (workspace_id, storage_path, size_bytes, etag, state)
    SELECT $1, n, 1, 'e1', 'recorded' FROM generate_series(1, 3000) n
    """,
    """
    INSERT INTO documents (
        workspace_id, id, name, mime_type, storage_path, folder_id, tags, search_text, revision, created_by,
        created_by_key, created_at, updated_at
    )
    SELECT $1, gen_random_uuid(), 'a', 'a/b', n, find_folder($1, '/used'), '{}', '', 1, $1, $1, now(), now()
    FROM generate_series(1, 3000) n
    """,
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
        """Run `work` and return the number of rows that it reads."""
        async with self.connection.transaction():
            before: int = await self.connection.fetchval(READ)
            await work()
            after: int = await self.connection.fetchval(READ)
        return after - before

    async def fill(self, workspace: UUID) -> None:
        """Add 20,000 rows to each table, with older ids than all other rows."""
        for statement in FILL:
            await self.connection.execute(statement, workspace)


@pytest.fixture
async def empty(own_database_url: str) -> AsyncIterator[OneConnection]:
    """A new database, and one connection to it."""
    connection = await asyncpg.connect(own_database_url, server_settings=SESSION | {"statement_timeout": "0"})
    yield OneConnection(connection)
    await connection.close()


@pytest.fixture
def records(empty: OneConnection) -> Records:
    return postgres_records(empty, StillClock())


@pytest.fixture
async def home(records: Records) -> Workspace:
    return await records.workspace(quota_bytes=2**62)


Counts = dict[str, int]
"""The number of rows that each call reads, by its name."""


async def counts(
    empty: OneConnection, home: Workspace, count: Callable[[], Awaitable[Counts]]
) -> tuple[Counts, Counts, Counts]:
    """Count three times: while the tables are small; when they are full but the session has the plans of small tables;
    and with new plans."""
    await count()
    # From here on, the planner knows that the tables are tiny, and would rather scan them.
    await empty.connection.execute("ANALYZE")
    for _ in range(10):
        few = await count()
    await empty.fill(to_uuid(home.id))
    full = await count()
    await empty.connection.execute("ANALYZE")
    return few, full, await count()


async def test_lists_read_few_rows_in_full_tables(empty: OneConnection, records: Records, home: Workspace) -> None:
    documents = [
        await records.recorded(home, folder=f"/hits/{number}", name=f"a needle {number}", tags=("hit",))
        for number in range(HITS)
    ]
    await records.linked_to(home, documents[0], entity_type="deal", entity_id="d-1")
    find, page = partial(records.documents.find, home.id), Page(1, 10)
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        **{name: partial(find, wanted, page) for name, wanted in FILTERS.items()},
        "after a cursor": partial(find, EVERYTHING, After(documents[10].id, 10)),
        "one document": partial(records.documents.get, home.id, documents[0].id),
        "of an entity": partial(records.documents.linked, home.id, EntityType.DEAL, "d-1", None, page),
        "folders": partial(records.documents.folders, home.id, FolderPath("/hits"), page),
        # All folders and documents are below the top, so this reads the most rows.
        "folders at the top": partial(records.documents.folders, home.id, None, page),
    }

    async def count() -> Counts:
        # Otherwise the counts of folders are kept from the last time.
        await empty.connection.execute("UPDATE usage SET next_seq = next_seq + 1")
        return {name: await empty.read_by(read) for name, read in reads.items()}

    few, _, analyzed = await counts(empty, home, count)
    assert {name: rows for name, rows in analyzed.items() if rows > few[name] + HITS} == {}
    assert all(0 < rows < 8 * HITS for name, rows in analyzed.items() if name != "a search without matches"), analyzed
    # No index supports so short a search: one read finds where the newest ones end, another searches them.
    assert await empty.read_by(partial(find, DocumentFilter(words=("q",)), page)) <= 2 * COUNT_MAX + 1


async def test_writes_read_few_rows_in_full_tables(empty: OneConnection, records: Records, home: Workspace) -> None:
    async def count() -> Counts:
        unique = records.unknown_document()
        patched, deleted, linked, _ = [await records.recorded(home, folder=f"/{unique}/{n}") for n in range(4)]
        batch = [records.document(home, path=new_key(), folder=f"/a/{n}") for n in range(32)]
        writes: dict[str, Callable[[], Awaitable[Any]]] = {
            "create 32": lambda: asyncio.gather(*(records.create(home, document, new_key()) for document in batch)),
            "patch": partial(records.patch, home, patched.id, name="b", folder=FolderPath(f"/new/{unique}")),
            "delete": partial(records.delete, home, deleted.id),
            "link": partial(records.add_link, home, records.link(linked.id, "deal", "d-1")),
            "move": partial(records.move, home, f"/{unique}", f"/moved/{unique}"),
        }
        return {name: await empty.read_by(write) for name, write in writes.items()}

    few, full, analyzed = await counts(empty, home, count)
    # A create reads rows by whole primary or unique keys only, so its old plans are as good as new ones.
    assert full["create 32"] == few["create 32"] < 500
    assert {name: rows for name, rows in analyzed.items() if rows > few[name] + 5} == {}
    assert all(rows < 60 for name, rows in analyzed.items() if name != "create 32"), analyzed


async def test_empty_folders_are_deleted_without_reading_documents_that_are_all_in_another_one(
    empty: OneConnection, records: Records, home: Workspace
) -> None:
    here = to_uuid(home.id)
    document = await records.recorded(home, folder="/source")
    await records.recorded(home, path="documents/used.pdf", folder="/used")
    for statement in FILL_ONE_FOLDER:
        await empty.connection.execute(statement, here)
    paths = [f"/{top}/{number}" for top in ("deleted", "replaced", "swept") for number in range(HITS)]
    await empty.connection.execute("SELECT ensure_folders_v2($1, $2)", here, paths)
    swept = await empty.connection.fetchval("SELECT folders_within_v2($1, find_folder($1, '/swept'))", here)
    await empty.connection.execute("ANALYZE")
    reads = {
        "delete": await empty.read_by(partial(records.delete_folder, home, "/deleted")),
        "move": await empty.read_by(partial(records.move, home, "/source", "/replaced")),
        "sweep": await empty.read_by(partial(empty.fetch, statements.DELETE_EMPTY_FOLDERS, here, swept)),
    }
    assert all(rows < 20 * HITS for rows in reads.values()), reads
    assert await records.children(home) == {"/replaced": 1, "/swept": 0, "/used": 3001}
    assert await records.documents.get(home.id, document.id)
