"""Documents in Postgres: every write is one call of a database function that takes the workspace lock first."""

from collections.abc import Sequence

import msgspec

from adapters.postgres import statements
from adapters.postgres.changes import DocumentChanges, WorkspaceQueues
from adapters.postgres.database import Database, Row
from adapters.postgres.queries import DocumentQueries
from adapters.postgres.receipts import receipt_facts
from adapters.postgres.rows import from_facts, from_uuid, to_facts, to_intent, to_uuid
from adapters.postgres.writer.batched import BatchedWriter
from adapters.postgres.writer.lane import Pending
from domain.documents import Document
from domain.ids import DocumentId, WorkspaceId
from domain.search import search_text
from ports.intents import Intent
from ports.outcomes import Created, CreateOutcome, IdempotencyKeyReused, OverQuota, PathTaken, Replayed
from ports.system import Clock


class PostgresDocuments(DocumentQueries, DocumentChanges):
    """`DocumentRepository` in Postgres: creates here, the reads and the other writes in a module each.

    `hashing_key` hashes the idempotency keys of receipts: 32 secret bytes, the same in every process.
    """

    def __init__(self, database: Database, now: Clock, hashing_key: bytes) -> None:
        self._database = database
        self._hashing_key = hashing_key
        self._queues = WorkspaceQueues()
        self._now = now
        self._writer = BatchedWriter(self._record)

    async def create(self, document: Document, intent: Intent) -> CreateOutcome:
        # The writer batches the creates of a workspace that wait at the same time, and hands each batch to `_record`.
        return await self._writer.record(Pending(document, intent, to_record(document, intent, self._hashing_key)))

    async def _record(self, workspace: WorkspaceId, creates: Sequence[Pending]) -> Sequence[CreateOutcome]:
        batch = b"[" + b",".join(create.record for create in creates) + b"]"
        answers = await self._database.fetch(statements.RECORD_DOCUMENTS, to_uuid(workspace), batch.decode())
        return [to_outcome(answer, create.document) for answer, create in zip(answers, creates, strict=True)]

    async def aclose(self) -> None:
        """Refuse new creates from now on, and return once all earlier ones are settled."""
        await self._writer.aclose()

    async def receipt(self, intent: Intent) -> Replayed | IdempotencyKeyReused | None:
        found = await receipt_facts(self._database, intent, self._now(), self._hashing_key)
        return Replayed(from_facts(found)) if isinstance(found, str) else found


def to_record(document: Document, intent: Intent, hashing_key: bytes) -> bytes:
    """Return what `record_documents_v2` reads of one create, as JSON."""
    return msgspec.json.encode(
        {
            "document": to_facts(document),
            "search_text": search_text(document.name, document.description),
            **to_intent(intent, document.created_at, hashing_key),
        }
    )


def to_outcome(answer: Row, document: Document) -> CreateOutcome:
    """Return what one row of `record_documents_v2` means for its document."""
    facts = answer["facts"]
    match answer["outcome"]:
        case "created":
            return Created(document)
        case "replayed":
            return Replayed(from_facts(facts))
        case "key_reused":
            return IdempotencyKeyReused()
        case "path_taken":
            holder = msgspec.json.decode(facts)["document_id"]
            return PathTaken(None if holder is None else DocumentId(from_uuid("doc_", holder)))
        case "over_quota":
            return OverQuota(**msgspec.json.decode(facts))
        case unknown:
            raise AssertionError(f"record_documents_v2 returned {unknown}")
