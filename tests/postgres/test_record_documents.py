"""What the write leaves in the tables, beyond what the port tells."""

from adapters.postgres.database import Database
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.keys import PostgresApiKeys
from adapters.postgres.rows import to_uuid
from adapters.postgres.workspaces import PostgresWorkspaces
from tests.clock import StillClock
from tests.contracts.conftest import Records


def records_on(database: Database) -> Records:
    clock = StillClock()
    return Records(PostgresWorkspaces(database), PostgresApiKeys(database), PostgresDocuments(database, clock), clock)


async def test_a_document_comes_with_its_folders_ledger_row_and_event(database: Database) -> None:
    records = records_on(database)
    home = await records.workspace()
    documents = [records.document(home, path=f"documents/{n}", folder=f"/a/b/{n}") for n in range(3)]
    for document in documents:
        await records.documents.create(document, records.intent(home))
    workspace = to_uuid(home.id)

    folders = await database.fetch("SELECT path FROM folders WHERE workspace_id = $1 ORDER BY path", workspace)
    assert [row["path"] for row in folders] == ["/a", "/a/b", "/a/b/0", "/a/b/1", "/a/b/2"]

    objects = await database.fetch("SELECT * FROM objects WHERE workspace_id = $1 ORDER BY storage_path", workspace)
    assert [row["document_id"] for row in objects] == [to_uuid(document.id) for document in documents]
    assert {(row["state"], row["etag"], row["sha256"].hex()) for row in objects} == {("recorded", "e1", "ab" * 32)}

    events = await database.fetch("SELECT * FROM events WHERE workspace_id = $1 ORDER BY seq", workspace)
    assert [(row["seq"], row["kind"], row["request_id"]) for row in events] == [
        (seq, "document.created", "req_1") for seq in (1, 2, 3)
    ]
    assert [row["document_id"] for row in events] == [to_uuid(document.id) for document in documents]


async def test_the_counters_are_the_sums_of_the_rows(database: Database) -> None:
    wrong = await database.fetch("""
        SELECT u.workspace_id FROM usage u
        LEFT JOIN (
            SELECT workspace_id, sum(size_bytes) AS bytes, count(*) AS documents
            FROM objects WHERE state = 'recorded' GROUP BY workspace_id
        ) o USING (workspace_id)
        WHERE (u.used_bytes, u.documents) IS DISTINCT FROM (coalesce(o.bytes, 0), coalesce(o.documents, 0))
    """)
    assert wrong == []
