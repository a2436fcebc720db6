"""The audit after a crash: compares the clients' ledger with the rows, and with what servers answer now."""

import asyncio

from adapters.postgres.rows import from_uuid, to_uuid

from .deployment import Deployment
from .fleet import Fleet
from .ledger import Intent, Ledger
from .wire import message, send

AT_ONCE = 32


async def audit(deployment: Deployment, fleet: Fleet, ledger: Ledger) -> None:
    """Check that no acknowledged write is lost, no write happened twice, every counter is exact, and every idempotency
    key is replayed.

    An intent that was never acknowledged may be recorded or not, but not partly.
    """
    await _compare_rows(deployment, ledger)
    acknowledged = [intent for intent in ledger.intents if intent.answers]
    for start in range(0, len(acknowledged), AT_ONCE):
        batch = acknowledged[start : start + AT_ONCE]
        await asyncio.gather(*(_request_again(fleet, ledger, intent) for intent in batch))
    # The requests above must have recorded nothing.
    await _compare_rows(deployment, ledger)


async def _compare_rows(deployment: Deployment, ledger: Ledger) -> None:
    async with deployment.sql() as sql, sql.transaction(isolation="repeatable_read", readonly=True):
        workspace = ledger.workspace.uuid
        documents, objects, receipts, events, folders = [
            await sql.fetch(query, workspace) for query in (_DOCUMENTS, _OBJECTS, _RECEIPTS, _EVENTS, _FOLDERS)
        ]
        usage = await sql.fetchrow("SELECT * FROM usage WHERE workspace_id = $1", workspace)
        reserved = await sql.fetchval(_RESERVED, workspace)

    recorded = {row["storage_path"]: from_uuid("doc_", row["id"]) for row in documents}
    deleted = [intent for intent in ledger.intents if intent.delete_key]
    intended = {intent.storage_path: intent for intent in ledger.intents}
    assert len(recorded) == len(documents), "a path is recorded twice"
    assert recorded.keys() <= intended.keys(), "a document is recorded that no client requested"
    for intent in ledger.intents:
        for answer in intent.answers:
            found = recorded.get(intent.storage_path)
            expected = None if intent.delete_key else answer.data["id"]
            assert found == expected, f"lost, doubled or not deleted: {found}, {answer}"
            assert answer.body == intent.answers[0].body, f"answers differ: {answer}, {intent.answers[0]}"

    sizes = {path: intended[path].size for path in recorded}
    assert {row["storage_path"]: row["size_bytes"] for row in documents} == sizes
    states = {row["storage_path"]: row["state"] for row in objects}
    condemned = {intent.storage_path: "condemned" for intent in deleted}
    assert states == {**dict.fromkeys(recorded, "recorded"), **condemned}
    assert (usage["used_bytes"], usage["documents"]) == (sum(sizes.values()), len(documents))
    assert sum(row["size_bytes"] for row in objects if row["state"] == "recorded") == usage["used_bytes"]
    assert usage["reserved_bytes"] == reserved
    assert usage["used_bytes"] + reserved <= usage["quota_bytes"]

    assert [row["seq"] for row in events] == list(range(1, usage["next_seq"]))
    gone = {to_uuid(intent.answers[0].data["id"]) for intent in deleted}
    wanted = [(id_, "document.created") for id_ in gone | {row["id"] for row in documents}]
    wanted += [(id_, "document.deleted") for id_ in gone]
    assert sorted((row["document_id"], row["kind"]) for row in events) == sorted(wanted)

    keyed = [intent.key for intent in ledger.intents if intent.key and intent.storage_path in states]
    keyed += [intent.delete_key for intent in deleted if intent.delete_key]
    # Receipts hold only a hash of each idempotency key.
    assert len(receipts) == len(keyed)
    assert not {str(row["key_hash"]) for row in receipts} & set(keyed)
    assert len({row["path"] for row in folders}) == len(folders), "a folder exists twice"


async def _request_again(fleet: Fleet, ledger: Ledger, intent: Intent) -> None:
    first = intent.answers[0]
    target = f"/v1/documents/{first.data['id']}?download=false"
    read = await send(fleet.another().port, message("GET", target, ledger.workspace.key, {}))
    if intent.delete_key:
        assert read.status == 404, read
    else:
        assert read.status == 200, read
        assert {member: read.data[member] for member in first.data} == first.data
    if intent.key is not None:
        again = await ledger.send_once(intent, fleet.another().port)
        assert again.status == 201, again
        assert again.replayed, f"recorded again: {again}"
        assert again.body == first.body, f"answers differ: {again}, {first}"
        assert again.headers["location"] == first.headers["location"]


_DOCUMENTS = """
SELECT d.id, d.storage_path, o.size_bytes
FROM documents d JOIN objects o ON o.workspace_id = d.workspace_id AND o.storage_path = d.storage_path
WHERE d.workspace_id = $1 AND o.state = 'recorded' AND o.document_id = d.id AND d.folder_id IS NOT NULL
"""
_OBJECTS = "SELECT storage_path, state, size_bytes FROM objects WHERE workspace_id = $1"
_RESERVED = "SELECT coalesce(sum(reserved_bytes), 0)::bigint FROM uploads WHERE workspace_id = $1"
_RECEIPTS = "SELECT key_hash FROM receipts WHERE workspace_id = $1"
_EVENTS = "SELECT seq, kind, document_id FROM events WHERE workspace_id = $1 ORDER BY seq"
_FOLDERS = "SELECT path FROM folders WHERE workspace_id = $1"
