"""What the write leaves in the tables, beyond what the port tells."""

from uuid import uuid4

from adapters.postgres import statements
from adapters.postgres.database import Database
from adapters.postgres.documents import to_outcome, to_record
from adapters.postgres.rows import to_uuid
from ports.outcomes import Created, IdempotencyKeyReused, OverQuota, PathTaken, Replayed
from ports.queries import Usage
from tests.clock import StillClock
from tests.contracts.records import Records, postgres_records
from tests.postgres.full_tables import OneConnection


def records_on(database: Database) -> Records:
    return postgres_records(database, StillClock())


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
    home = await records.workspace(quota_bytes=40)
    answered, tried = str(uuid4()), str(uuid4())
    old, ours = records.document(home, path="documents/1", folder="/a/b"), records.document(home, path="documents/2")
    await records.documents.create(old, records.intent(home, answered))
    await records.documents.create(ours, records.intent(home, tried))
    rows = [
        (records.document(home, path="documents/3", folder="/a/c"), records.intent(home, str(uuid4()))),
        (records.document(home, path="documents/4", folder="/no"), records.intent(home, answered)),
        (records.document(home, path="documents/5", folder="/no"), records.intent(home, tried, asks="that")),
        (records.document(home, path="documents/1", folder="/no"), records.intent(home)),  # the path of the first
        (records.document(home, path="documents/6", size_bytes=11), records.intent(home)),  # 30 of 40 are used
        (records.document(home, path="documents/7", size_bytes=10), records.intent(home)),  # fits what is left
        (ours, records.intent(home)),  # its own earlier try
    ]
    batch = b"[" + b",".join(to_record(*row) for row in rows) + b"]"
    answers = await database.fetch(statements.RECORD_DOCUMENTS, to_uuid(home.id), batch.decode())
    assert [to_outcome(answer, document) for answer, (document, _) in zip(answers, rows, strict=True)] == [
        Created(rows[0][0]),
        Replayed(old),
        IdempotencyKeyReused(),
        PathTaken(old.id),
        OverQuota(40, 30, 11),
        Created(rows[5][0]),
        Created(ours),
    ]
    assert await records.documents.usage(home.id) == Usage(40, 40, 4)
    folders = await database.fetch("SELECT path FROM folders WHERE workspace_id = $1 ORDER BY path", to_uuid(home.id))
    assert [row["path"] for row in folders] == ["/a", "/a/b", "/a/c"]


async def test_an_earlier_try_that_left_a_receipt_is_created_and_no_replay(database: Database) -> None:
    records = records_on(database)
    home, key = await records.workspace(), str(uuid4())
    document = records.document(home)
    for _ in range(2):
        batch = b"[" + to_record(document, records.intent(home, key)) + b"]"
        answers = await database.fetch(statements.RECORD_DOCUMENTS, to_uuid(home.id), batch.decode())
        assert [to_outcome(answer, document) for answer in answers] == [Created(document)]
    assert (await records.documents.usage(home.id)).documents == 1


async def test_plans_made_on_empty_tables_never_scan_the_full_ones(empty: OneConnection) -> None:
    """Counted, not timed: how many rows a sequential or too wide a scan has read, once the tables are full."""
    records = records_on(empty)
    home = await records.workspace(quota_bytes=2**62)
    workspace = to_uuid(home.id)

    async def record() -> dict[str, int]:
        """Rows read by one call of 32 new documents."""
        documents = [records.document(home, path=str(uuid4()), folder=f"/a/{n}") for n in range(32)]
        rows = b",".join(to_record(document, records.intent(home, str(uuid4()))) for document in documents)
        return await empty.read_by(empty.fetch(statements.RECORD_DOCUMENTS, workspace, f"[{rows.decode()}]"))

    await record()
    # From now on the planner knows that the tables are tiny, and would rather scan them.
    await empty.connection.execute("ANALYZE")
    for _ in range(10):
        few = await record()
    await empty.fill(workspace)
    full = await record()
    assert full == few
    assert sum(full.values()) < 500
