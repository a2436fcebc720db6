"""What was answered to each Idempotency-Key, in a dictionary."""

from dataclasses import dataclass
from datetime import datetime

from domain.idempotency import LIFETIME
from domain.ids import WorkspaceId
from ports.intents import Intent
from ports.outcomes import IdempotencyKeyReused


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was answered to an intent, until when."""

    operation: str
    fingerprint: bytes
    answer: object
    expires_at: datetime


class MemoryReceipts:
    """The receipts of all workspaces, whatever was asked for."""

    def __init__(self) -> None:
        self._receipts: dict[tuple[WorkspaceId, str], Receipt] = {}

    def answered(self, intent: Intent | None, at: datetime) -> Receipt | IdempotencyKeyReused | None:
        """The receipt of the intent's key that has not expired, if it is of this intent."""
        if intent is None or intent.idempotency_key is None:
            return None
        found = self._receipts.get((intent.caller.workspace_id, intent.idempotency_key))
        if found is None or found.expires_at <= at:
            return None
        same = (found.operation, found.fingerprint) == (intent.operation, intent.fingerprint)
        return found if same else IdempotencyKeyReused()

    def keep(self, intent: Intent | None, answer: object, at: datetime) -> None:
        """Answer the intent's key so for a day, if it has one."""
        if intent is not None and intent.idempotency_key is not None:
            receipt = Receipt(intent.operation, intent.fingerprint, answer, at + LIFETIME)
            self._receipts[intent.caller.workspace_id, intent.idempotency_key] = receipt

    def forget(self, at: datetime) -> int:
        """Drop what has expired; how many."""
        expired = [key for key, receipt in self._receipts.items() if receipt.expires_at <= at]
        for key in expired:
            del self._receipts[key]
        return len(expired)
