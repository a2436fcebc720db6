"""Documents in dictionaries: what every other repository must answer."""

from dataclasses import dataclass, field
from datetime import datetime

from adapters.memory.receipts import Receipt
from adapters.memory.workspaces import MemoryWorkspaces
from domain.documents import Document
from domain.ids import DocumentId, WorkspaceId
from domain.paths import FolderPath, StoragePath, ancestors
from ports.documents import Created, Outcome, OverQuota, PathTaken, Replayed, Usage
from ports.intents import Intent, KeyReused
from ports.ledger import PathState
from ports.system import Clock


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger says of a path: whose it is or was, and since when nobody's."""

    state: PathState
    document_id: DocumentId | None
    condemned_at: datetime | None = None


@dataclass(slots=True)
class Shelf:
    """What one workspace has."""

    used_bytes: int = 0
    documents: dict[DocumentId, Document] = field(default_factory=dict)
    folders: set[FolderPath] = field(default_factory=set)
    paths: dict[StoragePath, Entry] = field(default_factory=dict)


class MemoryDocuments:
    """`DocumentRepository` in memory: atomic, because nothing is awaited between a look and the write it decides."""

    def __init__(self, workspaces: MemoryWorkspaces, now: Clock) -> None:
        self._workspaces = workspaces
        self._now = now
        self.receipts = workspaces.receipts
        self.shelves: dict[WorkspaceId, Shelf] = {}

    async def create(self, document: Document, intent: Intent) -> Outcome:
        usage = await self.usage(document.workspace_id)
        shelf = self.shelf(document.workspace_id)
        size = document.stored.size_bytes
        if answered := self._answered(intent, document.created_at):
            # Our own earlier try, whose answer was lost on the way, is no replay.
            return Created(document) if answered == Replayed(document) else answered
        if (entry := shelf.paths.get(document.storage_path)) is not None:
            if entry.document_id == document.id:
                return Created(document)
            return PathTaken(entry.document_id if entry.state is PathState.RECORDED else None)
        if shelf.used_bytes + size > usage.quota_bytes:
            return OverQuota(usage.quota_bytes, shelf.used_bytes, size)
        shelf.used_bytes += size
        shelf.documents[document.id] = document
        shelf.folders.update(ancestors(document.folder))
        shelf.paths[document.storage_path] = Entry(PathState.RECORDED, document.id)
        self.receipts.keep(intent, document, document.created_at)
        return Created(document)

    async def receipt(self, intent: Intent) -> Replayed | KeyReused | None:
        return self._answered(intent, self._now())

    async def get(self, workspace: WorkspaceId, document: DocumentId) -> Document | None:
        return self.shelf(workspace).documents.get(document)

    async def usage(self, workspace: WorkspaceId) -> Usage:
        owner = await self._workspaces.get(workspace)
        shelf = self.shelf(workspace)
        return Usage(shelf.used_bytes, owner.quota_bytes if owner else 0, len(shelf.documents))

    def shelf(self, workspace: WorkspaceId) -> Shelf:
        """What a workspace has, for the ledger that looks at the same."""
        return self.shelves.setdefault(workspace, Shelf())

    def _answered(self, intent: Intent, at: datetime) -> Replayed | KeyReused | None:
        match self.receipts.answered(intent, at):
            case Receipt(answer=Document() as document):
                return Replayed(document)
            case KeyReused() as reused:
                return reused
            case _:
                return None
