"""Documents in Postgres. Every write is one call of a database function that takes the workspace lock first."""

from collections.abc import Sequence

import msgspec

from adapters.postgres import statements
from adapters.postgres.changes import DocumentChanges
from adapters.postgres.creates import Creates
from adapters.postgres.database import Database, Row
from adapters.postgres.queries import DocumentQueries
from adapters.postgres.reads import Reads
from adapters.postgres.receipts import receipt_facts
from adapters.postgres.rows import from_facts, to_hex, to_over_quota, to_uuid
from adapters.postgres.writer.lane import Pending
from adapters.postgres.writer.shared import Busy, SharedWriter
from domain.documents import Document
from ports.intents import Intent
from ports.ledger import IssuedUpload
from ports.outcomes import (
    CreateOutcome,
    IdempotencyKeyReused,
    IssueOutcome,
    Replayed,
    UploadIssued,
)
from ports.system import Clock


class PostgresDocuments(DocumentQueries, DocumentChanges):
    """`DocumentRepository` in Postgres. This module has the upload URLs; `creates.py` has the creates, `queries.py`
    the reads, and `changes.py` the other writes.

    `writes` and `reads` have the connections of either. `hashing_key` hashes the idempotency keys of receipts: 32
    secret bytes, the same in every process.
    """

    def __init__(self, writes: Database, reads: Reads, now: Clock, hashing_key: bytes) -> None:
        self._writes = writes
        self._reads = reads
        self._hashing_key = hashing_key
        self._now = now
        self._creates = Creates(writes)
        self._uploads = SharedWriter[Pending[IssueOutcome | Busy], IssueOutcome](self._issue)

    async def issue_upload(self, upload: IssuedUpload) -> IssueOutcome:
        record = msgspec.json.encode(
            {
                "workspace_id": to_hex(upload.workspace_id),
                "storage_path": upload.path,
                "reserved_bytes": upload.reserved_bytes,
                "held_until": upload.held_until,
                "durable": upload.is_durable,
            }
        )
        return await self._uploads.send(lambda: Pending(upload.workspace_id, upload.path, record))

    async def _issue(
        self, writes: Sequence[Pending[IssueOutcome | Busy]], *, waits: bool
    ) -> Sequence[IssueOutcome | Busy]:
        workspaces = [to_uuid(workspace) for workspace in {write.workspace for write in writes}]
        batch = b"[" + b",".join(write.record for write in writes) + b"]"
        answers = await self._writes.fetch(statements.ISSUE_UPLOADS, workspaces, batch.decode(), waits)
        return [_to_outcome(answer) for answer in answers]

    async def create(self, document: Document, intent: Intent) -> CreateOutcome:
        return await self._creates.create(document, intent, self._hashing_key)

    async def aclose(self) -> None:
        """Refuse new creates and uploads from now on, and return once all earlier ones are settled."""
        await self._creates.aclose()
        await self._uploads.aclose()

    async def receipt(self, intent: Intent) -> Replayed | IdempotencyKeyReused | None:
        found = await receipt_facts(self._writes, intent, self._now(), self._hashing_key)
        return Replayed(from_facts(found)) if isinstance(found, str) else found


def _to_outcome(answer: Row) -> IssueOutcome | Busy:
    match answer["outcome"]:
        case "issued":
            return UploadIssued()
        case "over_quota":
            return to_over_quota(answer["facts"])
        case "busy":
            return Busy()
        case unknown:
            raise AssertionError(f"issue_uploads returned {unknown}")
