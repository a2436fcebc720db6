"""Receipts of idempotent operations, in Postgres."""

from datetime import datetime

from adapters.postgres import statements
from adapters.postgres.database import Database
from adapters.postgres.rows import hash_idempotency_key, to_uuid
from ports.intents import Intent
from ports.outcomes import IdempotencyKeyReused


async def receipt_facts(
    database: Database, intent: Intent, at: datetime, hashing_key: bytes
) -> str | IdempotencyKeyReused | None:
    """Return the facts of the intent's receipt as JSON, or `None` if there is none that is valid at that time."""
    if intent.idempotency_key is None:
        return None
    row = await database.fetch_one(
        statements.FIND_RECEIPT,
        to_uuid(intent.caller.workspace_id),
        hash_idempotency_key(intent, hashing_key),
        intent.operation,
        intent.fingerprint.hex(),
        at,
    )
    if row is None:
        return None
    if row["outcome"] == "key_reused":
        return IdempotencyKeyReused()
    facts: str = row["facts"]
    return facts
