"""Documents in dictionaries: what every other repository must answer."""

from dataclasses import dataclass, field
from datetime import datetime

from adapters.memory.workspaces import MemoryWorkspaces
from domain.documents import Document
from domain.idempotency import LIFETIME
from domain.ids import DocumentId, WorkspaceId
from domain.paths import FolderPath, StoragePath, ancestors
from ports.documents import (
    Created,
    Intent,
    KeyReused,
    Outcome,
    OverQuota,
    PathTaken,
    Replayed,
    Usage,
)
from ports.system import Clock


@dataclass(frozen=True, slots=True)
class _Receipt:
    operation: str
    fingerprint: bytes
    document: Document
    expires_at: datetime


@dataclass(slots=True)
class _Shelf:
    """What one workspace has."""

    used_bytes: int = 0
    documents: dict[DocumentId, Document] = field(default_factory=dict)
    folders: set[FolderPath] = field(default_factory=set)
    paths: dict[StoragePath, DocumentId] = field(default_factory=dict)
    receipts: dict[str, _Receipt] = field(default_factory=dict)


class MemoryDocuments:
    """`DocumentRepository` in memory: atomic, because nothing is awaited between a look and the write it decides."""

    def __init__(self, workspaces: MemoryWorkspaces, now: Clock) -> None:
        self._workspaces = workspaces
        self._now = now
        self._shelves: dict[WorkspaceId, _Shelf] = {}

    async def create(self, document: Document, intent: Intent) -> Outcome:
        usage = await self.usage(document.workspace_id)
        shelf = self._shelf(document.workspace_id)
        size = document.stored.size_bytes
        if answered := self._answered(shelf, intent, document.created_at):
            # Our own earlier try, whose answer was lost on the way, is no replay.
            return Created(document) if answered == Replayed(document) else answered
        if (holder := shelf.paths.get(document.storage_path)) is not None:
            if holder == document.id:
                return Created(document)
            return PathTaken(holder if holder in shelf.documents else None)
        if shelf.used_bytes + size > usage.quota_bytes:
            return OverQuota(usage.quota_bytes, shelf.used_bytes, size)
        shelf.used_bytes += size
        shelf.documents[document.id] = document
        shelf.folders.update(ancestors(document.folder))
        shelf.paths[document.storage_path] = document.id
        if intent.key is not None:
            shelf.receipts[intent.key] = _Receipt(
                intent.operation, intent.fingerprint, document, document.created_at + LIFETIME
            )
        return Created(document)

    async def receipt(self, intent: Intent) -> Replayed | KeyReused | None:
        return self._answered(self._shelf(intent.caller.workspace_id), intent, self._now())

    async def get(self, workspace: WorkspaceId, document: DocumentId) -> Document | None:
        return self._shelf(workspace).documents.get(document)

    async def usage(self, workspace: WorkspaceId) -> Usage:
        owner = await self._workspaces.get(workspace)
        shelf = self._shelf(workspace)
        return Usage(shelf.used_bytes, owner.quota_bytes if owner else 0, len(shelf.documents))

    def _shelf(self, workspace: WorkspaceId) -> _Shelf:
        return self._shelves.setdefault(workspace, _Shelf())

    @staticmethod
    def _answered(shelf: _Shelf, intent: Intent, at: datetime) -> Replayed | KeyReused | None:
        found = shelf.receipts.get(intent.key) if intent.key is not None else None
        if found is None or found.expires_at <= at:
            return None
        if (found.operation, found.fingerprint) != (intent.operation, intent.fingerprint):
            return KeyReused()
        return Replayed(found.document)
