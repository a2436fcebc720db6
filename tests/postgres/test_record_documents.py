"""What the write leaves in the tables, beyond what the port tells."""

import json
from uuid import uuid4

from adapters.postgres import statements
from adapters.postgres.database import Database
from adapters.postgres.documents import PostgresDocuments, to_outcome, to_record
from adapters.postgres.keys import PostgresApiKeys
from adapters.postgres.rows import to_uuid
from adapters.postgres.workspaces import PostgresWorkspaces
from ports.documents import Created, KeyReused, OverQuota, PathTaken, Replayed, Usage
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
    records = records_on(database)
    home = await records.workspace()
    for number in range(3):
        document = records.document(home, path=f"documents/{number}", size_bytes=number)
        await records.documents.create(document, records.intent(home))
    # Of every workspace of the run, those of the tests before this one included.
    counted = await database.fetch("""
        SELECT u.workspace_id, (u.used_bytes, u.documents) = (coalesce(o.bytes, 0), coalesce(o.documents, 0)) AS matches
        FROM usage u
        LEFT JOIN (
            SELECT workspace_id, sum(size_bytes) AS bytes, count(*) AS documents
            FROM objects WHERE state = 'recorded' GROUP BY workspace_id
        ) o USING (workspace_id)
    """)
    assert {row["matches"] for row in counted} == {True}
    assert to_uuid(home.id) in {row["workspace_id"] for row in counted}


async def test_many_rows_in_one_call_are_decided_in_order_each_for_itself(database: Database) -> None:
    records = records_on(database)
    home = await records.workspace(quota_bytes=30)
    key, other = str(uuid4()), str(uuid4())
    first = records.document(home, path="documents/1", folder="/a/b")
    await records.documents.create(first, records.intent(home, other))
    rows = [
        (records.document(home, path="documents/2", folder="/a/c"), records.intent(home, key)),
        (records.document(home, path="documents/3"), records.intent(home, key)),  # twin of the row before
        (records.document(home, path="documents/4"), records.intent(home, key, asks="that")),  # key of the row before
        (records.document(home, path="documents/2"), records.intent(home)),  # path of the first row
        (records.document(home, path="documents/5", size_bytes=11), records.intent(home)),  # 20 of 30 are used
        (records.document(home, path="documents/6", size_bytes=10), records.intent(home)),  # fits what is left
        (first, records.intent(home, other)),  # its own earlier try
    ]
    answers = await database.fetch(
        statements.RECORD_DOCUMENTS, to_uuid(home.id), json.dumps([to_record(*row) for row in rows])
    )
    assert [to_outcome(answer, document) for answer, (document, _) in zip(answers, rows, strict=True)] == [
        Created(rows[0][0]),
        Replayed(rows[0][0]),
        KeyReused(),
        PathTaken(rows[0][0].id),
        OverQuota(30, 20, 11),
        Created(rows[5][0]),
        Created(first),
    ]
    assert await records.documents.usage(home.id) == Usage(30, 30, 3)
