"""What was answered to an Idempotency-Key, in Postgres."""

from datetime import datetime

from adapters.postgres import statements
from adapters.postgres.database import Database
from adapters.postgres.rows import to_receipt_key, to_uuid
from ports.intents import Intent
from ports.outcomes import IdempotencyKeyReused


async def receipt_facts(database: Database, intent: Intent, at: datetime) -> str | IdempotencyKeyReused | None:
    """What the receipt of the intent's key holds, as JSON, if there is one that has not expired."""
    if intent.idempotency_key is None:
        return None
    row = await database.fetch_one(
        statements.RECEIPT, to_uuid(intent.caller.workspace_id), to_receipt_key(intent.idempotency_key), at
    )
    if row is None:
        return None
    if (row["operation"], row["fingerprint"]) != (intent.operation, intent.fingerprint):
        return IdempotencyKeyReused()
    facts: str = row["facts"]
    return facts
