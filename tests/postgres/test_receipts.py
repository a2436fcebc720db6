"""What Postgres keeps of a key that was made: nothing that opens anything."""

from adapters.postgres.database import Database
from adapters.postgres.rows import hash_idempotency_key, to_uuid
from tests.clock import StillClock
from tests.contracts.records import postgres_records

KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


async def test_no_idempotency_key_is_kept(database: Database) -> None:
    records = postgres_records(database, StillClock())
    home = await records.workspace()
    await records.api_keys.add(records.api_key(home), records.intent(home, KEY), b"sealed")
    rows = await database.fetch("SELECT * FROM receipts WHERE workspace_id = $1", to_uuid(home.id))
    assert [row["key_hash"] for row in rows] == [hash_idempotency_key(KEY)]
    assert KEY not in str(rows)
    assert KEY.replace("-", "") not in str(rows)


async def test_every_change_to_a_key_is_an_event_in_the_order_of_commits(database: Database) -> None:
    records = postgres_records(database, StillClock())
    home = await records.workspace()
    document = records.document(home)
    await records.documents.create(document, records.intent(home))
    key = records.api_key(home)
    intent = records.intent(home)
    await records.api_keys.add(key, intent)
    await records.api_keys.revoke(home.id, key.id, records.clock(), None)
    # Nothing happens to it any more.
    await records.api_keys.revoke(home.id, key.id, records.clock(), None)
    events = await database.fetch("SELECT * FROM events WHERE workspace_id = $1 ORDER BY seq", to_uuid(home.id))
    reported = [(row["seq"], row["kind"], row["key_id"]) for row in events]
    by = to_uuid(intent.caller.key_id)
    assert reported[1:] == [(2, "api_key.created", by), (3, "api_key.revoked", None)]
    assert all(to_uuid(key.id).hex in str(row["data"]).replace("-", "") for row in events[1:])
