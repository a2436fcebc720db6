"""The receipts of idempotent operations in memory."""

from dataclasses import dataclass
from datetime import datetime

from domain.idempotency import LIFETIME
from domain.ids import WorkspaceId
from ports.intents import Intent
from ports.outcomes import IdempotencyKeyReused


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of an intent, and the time at which the receipt expires."""

    operation: str
    fingerprint: bytes
    outcome: object
    expires_at: datetime


class MemoryReceipts:
    """The receipts of all workspaces and all operations."""

    def __init__(self) -> None:
        self._receipts: dict[tuple[WorkspaceId, str], Receipt] = {}

    def find(self, intent: Intent | None, at: datetime) -> Receipt | IdempotencyKeyReused | None:
        """Return the receipt of the intent, unless it has expired.

        Return `IdempotencyKeyReused` if the receipt of the idempotency key is valid and belongs to another operation
        or fingerprint.
        """
        if intent is None or intent.idempotency_key is None:
            return None
        found = self._receipts.get((intent.caller.workspace_id, intent.idempotency_key))
        if found is None or found.expires_at <= at:
            return None
        same = (found.operation, found.fingerprint) == (intent.operation, intent.fingerprint)
        return found if same else IdempotencyKeyReused()

    def keep(self, intent: Intent | None, outcome: object, at: datetime) -> None:
        """Keep the outcome for 24 hours, if the intent has an idempotency key."""
        if intent is not None and intent.idempotency_key is not None:
            receipt = Receipt(intent.operation, intent.fingerprint, outcome, at + LIFETIME)
            self._receipts[intent.caller.workspace_id, intent.idempotency_key] = receipt

    def forget(self, at: datetime) -> int:
        """Delete the expired receipts. Return their number."""
        expired = [key for key, receipt in self._receipts.items() if receipt.expires_at <= at]
        for key in expired:
            del self._receipts[key]
        return len(expired)
