"""Documents in Postgres: every write is one call of a function that takes the workspace's lock first."""

import hashlib
import json
from uuid import UUID, uuid4

from adapters.postgres import statements
from adapters.postgres.database import Database, Row
from adapters.postgres.rows import Facts, from_facts, from_uuid, to_facts, to_uuid
from domain.documents import Document
from domain.idempotency import LIFETIME
from domain.ids import DocumentId, WorkspaceId
from domain.paths import ancestors
from ports.documents import Created, Intent, KeyReused, Outcome, OverQuota, PathTaken, Replayed, Usage
from ports.system import Clock


class PostgresDocuments:
    """`DocumentRepository` in Postgres."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    async def create(self, document: Document, intent: Intent) -> Outcome:
        row = await self._database.fetch_one(
            statements.RECORD_DOCUMENTS,
            to_uuid(document.workspace_id),
            json.dumps([to_record(document, intent)]),
        )
        return to_outcome(row, document)

    async def receipt(self, intent: Intent) -> Replayed | KeyReused | None:
        if intent.key is None:
            return None
        row = await self._database.fetch_one(
            statements.RECEIPT, to_uuid(intent.caller.workspace_id), UUID(intent.key), self._now()
        )
        if row is None:
            return None
        if (row["operation"], row["fingerprint"]) != (intent.operation, intent.fingerprint):
            return KeyReused()
        return Replayed(from_facts(row["facts"]))

    async def get(self, workspace: WorkspaceId, document: DocumentId) -> Document | None:
        row = await self._database.fetch_one(statements.DOCUMENT, to_uuid(workspace), to_uuid(document))
        return None if row is None else from_facts(row["facts"])

    async def usage(self, workspace: WorkspaceId) -> Usage:
        row = await self._database.fetch_one(statements.USAGE, to_uuid(workspace))
        return Usage(0, 0, 0) if row is None else Usage(row["used_bytes"], row["quota_bytes"], row["documents"])


def to_record(document: Document, intent: Intent) -> Facts:
    """What `record_documents_v1` wants to know of one document."""
    return {
        "document": to_facts(document),
        "folders": [
            {"id": str(uuid4()), "path": path, "digest": hashlib.sha256(path.encode()).hexdigest()}
            for path in ancestors(document.folder)
        ],
        "key": intent.key,
        "operation": intent.operation,
        "fingerprint": intent.fingerprint.hex(),
        "receipt_expires_at": (document.created_at + LIFETIME).isoformat(),
        "request_id": intent.caller.request_id,
    }


def to_outcome(row: Row, document: Document) -> Outcome:
    """What one answer of `record_documents_v1` means for its document."""
    facts = row["facts"]
    match row["outcome"]:
        case "created":
            return Created(document)
        case "replayed":
            return Replayed(from_facts(facts))
        case "key_reused":
            return KeyReused()
        case "path_taken":
            holder = json.loads(facts)["document_id"]
            return PathTaken(None if holder is None else DocumentId(from_uuid("doc_", holder)))
        case "over_quota":
            return OverQuota(**json.loads(facts))
        case unknown:
            raise AssertionError(f"record_documents_v1 answered {unknown}")
