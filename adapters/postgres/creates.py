"""Creates in Postgres: those of all workspaces that wait at the same time share one database call."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from adapters.postgres import statements
from adapters.postgres.database import Database, Row
from adapters.postgres.rows import from_facts, to_facts, to_intent, to_over_quota, to_path_taken, to_uuid
from adapters.postgres.writer.cost import ROW_COST, create_cost
from adapters.postgres.writer.lane import Pending
from adapters.postgres.writer.shared import Busy, SharedWriter
from domain.documents import Document
from domain.paths import FOLDER_LEVELS_MAX, FOLDERS_MAX
from domain.search import search_text
from ports.intents import Intent
from ports.outcomes import Created, CreateOutcome, IdempotencyKeyReused, Replayed, TooManyFolders


class Creates:
    """The creates that wait, of all workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = SharedWriter[PendingCreate, CreateOutcome](self._record)

    async def create(self, document: Document, intent: Intent, hashing_key: bytes) -> CreateOutcome:
        """Record a document. Outcomes and errors are those of `DocumentRepository.create`."""
        record, cost = to_record(document, intent, hashing_key)
        return await self._writer.send(lambda: PendingCreate.of(document, intent, record, cost))

    async def aclose(self) -> None:
        """Refuse new creates from now on, and return once all earlier ones are settled."""
        await self._writer.aclose()

    async def _record(self, writes: Sequence["PendingCreate"], *, waits: bool) -> Sequence[CreateOutcome | Busy]:
        workspaces = [to_uuid(workspace) for workspace in {write.workspace for write in writes}]
        batch = b"[" + b",".join(write.record for write in writes) + b"]"
        arguments = workspaces, batch.decode(), waits, FOLDER_LEVELS_MAX, FOLDERS_MAX
        answers = await self._database.fetch(statements.RECORD_DOCUMENTS, *arguments)
        return [to_outcome(answer, write.document) for answer, write in zip(answers, writes, strict=True)]


@dataclass(slots=True, eq=False)
class PendingCreate(Pending[CreateOutcome | Busy]):
    """A create that waits in its lane."""

    document: Document = field(kw_only=True)

    @classmethod
    def of(cls, document: Document, intent: Intent, record: bytes, cost: int = ROW_COST) -> "PendingCreate":
        return cls(document.workspace_id, document.storage_path, record, intent, cost, document=document)

    def to_twin(self, outcome: CreateOutcome | Busy) -> CreateOutcome | Busy:
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


def to_outcome(answer: Row, document: Document) -> CreateOutcome | Busy:
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
        case "busy":
            return Busy()
        case unknown:
            raise AssertionError(f"record_documents_v2 returned {unknown}")
