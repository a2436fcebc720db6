"""Documents in Postgres. Every write is one call of a database function that takes the workspace lock first."""

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
    """`DocumentRepository` in Postgres. This module has the creates; `queries.py` has the reads, and `changes.py` the
    other writes."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._queues = WorkspaceQueues()
        self._now = now
        self._writer = BatchedWriter(self._record)

    async def create(self, document: Document, intent: Intent) -> CreateOutcome:
        # The writer collects the waiting creates of a workspace in batches, and calls `_record` with each batch.
        return await self._writer.record(Pending(document, intent, to_record(document, intent)))

    async def _record(self, workspace: WorkspaceId, creates: Sequence[Pending]) -> Sequence[CreateOutcome]:
        batch = b"[" + b",".join(create.record for create in creates) + b"]"
        answers = await self._database.fetch(statements.RECORD_DOCUMENTS, to_uuid(workspace), batch.decode())
        return [to_outcome(answer, create.document) for answer, create in zip(answers, creates, strict=True)]

    async def aclose(self) -> None:
        """Refuse new creates from now on, and return once all earlier creates have an outcome."""
        await self._writer.aclose()

    async def receipt(self, intent: Intent) -> Replayed | IdempotencyKeyReused | None:
        found = await receipt_facts(self._database, intent, self._now())
        return Replayed(from_facts(found)) if isinstance(found, str) else found


def to_record(document: Document, intent: Intent) -> bytes:
    """Return the JSON object of one create that `record_documents_v2` reads."""
    return msgspec.json.encode(
        {
            "document": to_facts(document),
            "search_text": search_text(document.name, document.description),
            **to_intent(intent, document.created_at),
        }
    )


def to_outcome(answer: Row, document: Document) -> CreateOutcome:
    """Return the outcome of a create from its row in the result of `record_documents_v2`."""
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
