"""Documents in Postgres. Every write is one call of a database function that takes the workspace lock first."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from adapters.postgres import statements
from adapters.postgres.changes import DocumentChanges, WorkspaceQueues
from adapters.postgres.database import Database, Row
from adapters.postgres.queries import DocumentQueries
from adapters.postgres.reads import Reads
from adapters.postgres.receipts import receipt_facts
from adapters.postgres.rows import from_facts, to_facts, to_intent, to_over_quota, to_path_taken, to_uuid
from adapters.postgres.writer.batched import BatchedWriter
from adapters.postgres.writer.cost import ROW_COST, create_cost
from adapters.postgres.writer.lane import Pending
from domain.documents import Document
from domain.ids import WorkspaceId
from domain.paths import FOLDER_LEVELS_MAX, FOLDERS_MAX
from domain.search import search_text
from ports.intents import Intent
from ports.ledger import IssuedUpload
from ports.outcomes import (
    Created,
    CreateOutcome,
    IdempotencyKeyReused,
    IssueOutcome,
    Replayed,
    TooManyFolders,
    UploadIssued,
)
from ports.system import Clock


class PostgresDocuments(DocumentQueries, DocumentChanges):
    """`DocumentRepository` in Postgres. This module has the creates; `queries.py` has the reads, and `changes.py` the
    other writes.

    `writes` and `reads` have the connections of either. `hashing_key` hashes the idempotency keys of receipts: 32
    secret bytes, the same in every process.
    """

    def __init__(self, writes: Database, reads: Reads, now: Clock, hashing_key: bytes) -> None:
        self._writes = writes
        self._reads = reads
        self._hashing_key = hashing_key
        self._queues = WorkspaceQueues()
        self._now = now
        # Each batches the writes of a workspace that wait at the same time, and hands the batch to its method.
        self._creates: BatchedWriter[PendingCreate, CreateOutcome] = BatchedWriter(self._record)
        self._uploads: BatchedWriter[Pending[IssueOutcome], IssueOutcome] = BatchedWriter(self._issue)

    async def issue_upload(self, upload: IssuedUpload) -> IssueOutcome:
        record = {
            "storage_path": upload.path,
            "reserved_bytes": upload.reserved_bytes,
            "held_until": upload.held_until,
            "durable": upload.is_durable,
        }
        return await self._uploads.send(Pending(upload.workspace_id, upload.path, msgspec.json.encode(record)))

    async def _issue(self, workspace: WorkspaceId, uploads: Sequence[Pending[IssueOutcome]]) -> Sequence[IssueOutcome]:
        batch = b"[" + b",".join(upload.record for upload in uploads) + b"]"
        answers = await self._writes.fetch(statements.ISSUE_UPLOADS, to_uuid(workspace), batch.decode())
        return [to_over_quota(answer["facts"]) if answer["facts"] else UploadIssued() for answer in answers]

    async def create(self, document: Document, intent: Intent) -> CreateOutcome:
        record, cost = to_record(document, intent, self._hashing_key)
        return await self._creates.send(PendingCreate.of(document, intent, record, cost))

    async def _record(self, workspace: WorkspaceId, creates: Sequence["PendingCreate"]) -> Sequence[CreateOutcome]:
        batch = b"[" + b",".join(create.record for create in creates) + b"]"
        answers = await self._writes.fetch(
            statements.RECORD_DOCUMENTS, to_uuid(workspace), batch.decode(), FOLDER_LEVELS_MAX, FOLDERS_MAX
        )
        return [to_outcome(answer, create.document) for answer, create in zip(answers, creates, strict=True)]

    async def aclose(self) -> None:
        """Refuse new creates and uploads from now on, and return once all earlier ones are settled."""
        await self._creates.aclose()
        await self._uploads.aclose()

    async def receipt(self, intent: Intent) -> Replayed | IdempotencyKeyReused | None:
        found = await receipt_facts(self._writes, intent, self._now(), self._hashing_key)
        return Replayed(from_facts(found)) if isinstance(found, str) else found


@dataclass(slots=True, eq=False)
class PendingCreate(Pending[CreateOutcome]):
    """A create that waits in its lane."""

    document: Document = field(kw_only=True)

    @classmethod
    def of(cls, document: Document, intent: Intent, record: bytes, cost: int = ROW_COST) -> "PendingCreate":
        return cls(document.workspace_id, document.storage_path, record, intent, cost, document=document)

    def to_twin(self, outcome: CreateOutcome) -> CreateOutcome:
        """Return the outcome for a twin: a replay, if the request of the first waiter created the document."""
        return Replayed(outcome.document) if isinstance(outcome, Created) else outcome


def to_record(document: Document, intent: Intent, hashing_key: bytes) -> tuple[bytes, int]:
    """Return the JSON object of one create that `record_documents_v2` reads, and its cost (`writer/cost.py`)."""
    searched = search_text(document.name, document.description)
    record = msgspec.json.encode(
        {
            "document": to_facts(document),
            "search_text": searched,
            **to_intent(intent, document.created_at, hashing_key),
        }
    )
    return record, create_cost(record, searched)


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
            return to_path_taken(facts)
        case "over_quota":
            return to_over_quota(facts)
        case "too_many_folders":
            return TooManyFolders()
        case unknown:
            raise AssertionError(f"record_documents_v2 returned {unknown}")
