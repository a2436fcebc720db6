"""Documents in dictionaries: what every other repository must answer."""

from dataclasses import replace
from datetime import datetime
from typing import overload

from adapters.memory import changes, finding
from adapters.memory.receipts import Receipt
from adapters.memory.shelf import Entry, Shelf
from adapters.memory.workspaces import MemoryWorkspaces
from domain.documents import Document
from domain.ids import DocumentId, WorkspaceId
from domain.links import EntityType
from domain.pages import Page, Rows
from domain.paths import FolderPath, ancestors
from ports.changes import (
    AddLink,
    Change,
    ChangeOutcome,
    Delete,
    Deleted,
    DeleteOutcome,
    FolderMoved,
    Linked,
    LinkOutcome,
    MoveFolder,
    MoveOutcome,
    Patch,
    Patched,
    PatchOutcome,
    RemoveLink,
    Unlinked,
    UnlinkOutcome,
)
from ports.documents import Created, Outcome, OverQuota, PathTaken, Replayed, Usage
from ports.finding import After, DocumentFilter, DocumentPage, FolderCount, LinkedDocument, TagCount, WithLinks
from ports.intents import Intent, KeyReused
from ports.ledger import PathState
from ports.system import Clock


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

    @overload
    async def change(self, what: Patch, intent: Intent) -> PatchOutcome: ...
    @overload
    async def change(self, what: Delete, intent: Intent) -> DeleteOutcome: ...
    @overload
    async def change(self, what: AddLink, intent: Intent) -> LinkOutcome: ...
    @overload
    async def change(self, what: RemoveLink, intent: Intent) -> UnlinkOutcome: ...
    @overload
    async def change(self, what: MoveFolder, intent: Intent) -> MoveOutcome: ...
    async def change(self, what: Change, intent: Intent) -> ChangeOutcome:
        at = what.link.created_at if isinstance(what, AddLink) else what.at
        match self.receipts.answered(intent, at):
            case Receipt(answer=Deleted() | Linked() | Unlinked() as earlier):
                return replace(earlier, replayed=True)
            case Receipt(answer=Patched() | FolderMoved() as earlier):
                return earlier
            case KeyReused() as reused:
                return reused
        outcome = changes.change(self.shelf(intent.caller.workspace_id), what)
        if isinstance(outcome, Patched | Deleted | Linked | Unlinked | FolderMoved):
            self.receipts.keep(intent, outcome, at)
        return outcome

    async def get(self, workspace: WorkspaceId, document: DocumentId) -> WithLinks | None:
        shelf = self.shelf(workspace)
        found = shelf.documents.get(document)
        return shelf.with_links(found) if found else None

    async def find(self, workspace: WorkspaceId, wanted: DocumentFilter, place: Page | After) -> DocumentPage:
        return finding.find(self.shelf(workspace), wanted, place)

    async def linked(
        self, workspace: WorkspaceId, entity_type: EntityType, entity_id: str, role: str | None, page: Page
    ) -> Rows[LinkedDocument]:
        return finding.linked(self.shelf(workspace), entity_type, entity_id, role, page)

    async def folders(self, workspace: WorkspaceId, parent: FolderPath | None, page: Page) -> Rows[FolderCount]:
        return finding.folders(self.shelf(workspace), parent, page)

    async def tags(self, workspace: WorkspaceId, page: Page) -> Rows[TagCount]:
        return finding.tags(self.shelf(workspace), page)

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
