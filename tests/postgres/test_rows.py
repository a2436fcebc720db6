"""What writes leave in the tables, beyond what the port shows."""

import json

import pytest

from adapters.postgres import statements
from adapters.postgres.database import Database
from adapters.postgres.documents import to_outcome, to_record
from adapters.postgres.rows import hash_idempotency_key, to_uuid
from domain.search import search_text
from ports.outcomes import Created, IdempotencyKeyReused, OverQuota, Patched, PathTaken, Replayed
from ports.queries import Usage
from tests.clock import StillClock
from tests.contracts.records import Records, new_key, postgres_records
from tests.postgres.rows import events, rows


@pytest.fixture
def records(database: Database) -> Records:
    return postgres_records(database, StillClock())


async def test_a_create_writes_the_document_its_folders_its_ledger_row_and_its_event(
    database: Database, records: Records
) -> None:
    home = await records.workspace()
    documents = [await records.recorded(home, path=f"documents/{n}", folder=f"/a/b/{n}") for n in range(3)]
    ids = [to_uuid(document.id) for document in documents]

    assert [row["path"] for row in await rows(database, "folders", home, "path")] == [
        *("/a", "/a/b", "/a/b/0", "/a/b/1", "/a/b/2")
    ]
    objects = await rows(database, "objects", home, "storage_path")
    assert [row["document_id"] for row in objects] == ids
    assert {(row["state"], row["etag"], row["sha256"].hex()) for row in objects} == {("recorded", "e1", "ab" * 32)}
    assert [
        (row["seq"], row["kind"], row["request_id"], row["document_id"]) for row in await events(database, home)
    ] == [(seq, "document.created", "req_1", id_) for seq, id_ in enumerate(ids, 1)]


async def test_the_counters_of_every_workspace_are_the_sums_of_its_rows(database: Database, records: Records) -> None:
    home = await records.workspace()
    for size_bytes in range(3):
        await records.recorded(home, size_bytes=size_bytes)
    # The workspaces of earlier tests are counted too.
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


async def test_each_row_of_a_call_is_decided_by_itself_in_the_order_of_the_call(
    database: Database, records: Records
) -> None:
    home = await records.workspace(quota_bytes=40)
    answered, retried = new_key(), new_key()
    old, ours = records.document(home, path="documents/1", folder="/a/b"), records.document(home, path="documents/2")
    await records.create(home, old, answered)
    await records.create(home, ours, retried)
    creates = [
        (records.document(home, path="documents/3", folder="/a/c"), records.intent(home, new_key())),
        (records.document(home, path="documents/4", folder="/no"), records.intent(home, answered)),
        (records.document(home, path="documents/5", folder="/no"), records.intent(home, retried, asks="that")),
        (records.document(home, path="documents/1", folder="/no"), records.intent(home)),  # the path of the first
        (records.document(home, path="documents/6", size_bytes=11), records.intent(home)),  # 30 of 40 are used
        (records.document(home, path="documents/7", size_bytes=10), records.intent(home)),  # exactly the rest
        (ours, records.intent(home)),  # its own earlier attempt
    ]
    batch = b"[" + b",".join(to_record(*create) for create in creates) + b"]"
    answers = await database.fetch(statements.RECORD_DOCUMENTS, to_uuid(home.id), batch.decode())
    assert [to_outcome(answer, document) for answer, (document, _) in zip(answers, creates, strict=True)] == [
        Created(creates[0][0]),
        Replayed(old),
        IdempotencyKeyReused(),
        PathTaken(old.id),
        OverQuota(40, 30, 11),
        Created(creates[5][0]),
        Created(ours),
    ]
    assert await records.documents.usage(home.id) == Usage(40, 40, 4)
    assert [row["path"] for row in await rows(database, "folders", home, "path")] == ["/a", "/a/b", "/a/c"]


async def test_every_change_is_an_event_in_the_order_of_commits(database: Database, records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a")
    link = await records.linked_to(home, document)
    await records.patch(home, document.id, name="b.pdf", tags=("x",))
    await records.move(home, "/a", "/z")
    await records.remove_link(home, document.id, link.id)
    await records.delete(home, document.id)
    found = await events(database, home)
    assert [(event["seq"], event["kind"]) for event in found] == [
        (1, "document.created"),
        (2, "document.linked"),
        (3, "document.changed"),
        (4, "folder.moved"),
        (5, "document.unlinked"),
        (6, "document.deleted"),
    ]
    assert json.loads(found[2]["data"]) == {"members": ["name", "tags"]}
    assert json.loads(found[3]["data"]) == {"from": "/a", "to": "/z"}
    assert json.loads(found[5]["data"]) == {"storage_path": document.storage_path, "size_bytes": 10}


async def test_every_change_of_an_api_key_is_an_event_of_its_caller(database: Database, records: Records) -> None:
    home = await records.workspace()
    key, intent = records.api_key(home), records.intent(home)
    await records.api_keys.add(key, intent)
    # The operator revokes it, and the second time nothing changes.
    for _ in range(2):
        await records.api_keys.revoke(home.id, key.id, records.clock(), None)
    found = await events(database, home)
    caller = to_uuid(intent.caller.key_id)
    assert [(row["kind"], row["key_id"]) for row in found] == [("api_key.created", caller), ("api_key.revoked", None)]
    assert {json.loads(row["data"])["api_key_id"] for row in found} == {str(to_uuid(key.id))}


async def test_a_write_that_changes_nothing_is_no_event(database: Database, records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a")
    await records.linked_to(home, document)
    await records.patch(home, document.id)
    same = {member: getattr(document, member) for member in ("name", "description", "folder", "tags")}
    await records.patch(home, document.id, **same)
    await records.linked_to(home, document)
    assert len(await events(database, home)) == 2


async def test_the_search_text_follows_the_name_and_the_description(database: Database, records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    for changes in (
        {"name": "STRASSE\N{LATIN CAPITAL LETTER SHARP S}"},
        {"description": "Zwei\nZeilen\n"},
        {"name": "c", "description": None},
        {"description": "\N{LATIN SMALL LIGATURE FI}"},
    ):
        outcome = await records.patch(home, document.id, **changes)
        assert isinstance(outcome, Patched)
        [row] = await rows(database, "documents", home, "id")
        assert row["search_text"] == search_text(outcome.found.document.name, outcome.found.document.description)


async def test_a_receipt_stores_only_a_hash_of_the_idempotency_key(database: Database, records: Records) -> None:
    home, key = await records.workspace(), new_key()
    await records.api_keys.add(records.api_key(home), records.intent(home, key), b"sealed")
    found = await rows(database, "receipts", home, "key_hash")
    assert [row["key_hash"] for row in found] == [hash_idempotency_key(key)]
    assert key not in str(found)
    assert key.replace("-", "") not in str(found)


async def test_the_receipt_of_a_change_without_an_idempotency_key_expires_after_minutes(
    database: Database, records: Records
) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    await records.patch(home, document.id, name="b.pdf")
    assert len(await rows(database, "receipts", home, "key_hash")) == 1
    records.clock.advance(minutes=6)
    await records.ledger.delete_expired_receipts(records.clock())
    assert await rows(database, "receipts", home, "key_hash") == []
