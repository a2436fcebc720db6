"""Documents in dictionaries: what every other repository must answer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from adapters.memory import changes as writes
from adapters.memory import queries
from adapters.memory.receipts import Receipt
from adapters.memory.shelf import Entry, Shelf
from adapters.memory.workspaces import MemoryWorkspaces
from domain.documents import Changes, Document, Revisions
from domain.entity_links import EntityLink, EntityType
from domain.ids import DocumentId, EntityLinkId, WorkspaceId
from domain.pages import Page, Rows
from domain.paths import FolderPath, ancestors
from domain.search import DocumentFilter
from ports.intents import Intent
from ports.ledger import PathState
from ports.outcomes import (
    AddLinkOutcome,
    Created,
    CreateOutcome,
    Deleted,
    DeleteOutcome,
    IdempotencyKeyReused,
    LinkAdded,
    LinkRemoved,
    MoveFolderOutcome,
    OverQuota,
    PatchOutcome,
    PathTaken,
    RemoveLinkOutcome,
    Replayed,
)
from ports.queries import After, DocumentPage, DocumentWithLinks, FolderCount, LinkedDocument, TagCount, Usage
from ports.system import Clock

Success = TypeVar("Success", Deleted, LinkAdded, LinkRemoved)
Refused = TypeVar("Refused")


class MemoryDocuments:
    """`DocumentRepository` in memory: atomic, because nothing is awaited between a look and the write it decides."""

    def __init__(self, workspaces: MemoryWorkspaces, now: Clock) -> None:
        self._workspaces = workspaces
        self._now = now
        self.receipts = workspaces.receipts
        self.shelves: dict[WorkspaceId, Shelf] = {}

    async def create(self, document: Document, intent: Intent) -> CreateOutcome:
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

    async def receipt(self, intent: Intent) -> Replayed | IdempotencyKeyReused | None:
        return self._answered(intent, self._now())

    async def patch(
        self,
        document: DocumentId,
        changes: Changes,
        *,
        expected_revisions: Revisions | None = None,
        at: datetime,
        intent: Intent,
    ) -> PatchOutcome:
        return writes.patch(self._shelf_of(intent), document, changes, expected_revisions, at)

    async def delete(
        self, document: DocumentId, *, expected_revisions: Revisions | None = None, at: datetime, intent: Intent
    ) -> DeleteOutcome:
        return self._once(intent, at, Deleted, lambda shelf: writes.delete(shelf, document, expected_revisions, at))

    async def add_link(self, link: EntityLink, *, intent: Intent) -> AddLinkOutcome:
        return self._once(intent, link.created_at, LinkAdded, lambda shelf: writes.add_link(shelf, link))

    async def remove_link(
        self, document: DocumentId, link: EntityLinkId, *, at: datetime, intent: Intent
    ) -> RemoveLinkOutcome:
        return self._once(intent, at, LinkRemoved, lambda shelf: writes.remove_link(shelf, document, link))

    async def move_folder(
        self,
        source: FolderPath,
        target: FolderPath,
        *,
        at: datetime,  # noqa: ARG002  nothing in memory has the time of a move
        intent: Intent,
    ) -> MoveFolderOutcome:
        return writes.move_folder(self._shelf_of(intent), source, target)

    async def get(self, workspace: WorkspaceId, document: DocumentId) -> DocumentWithLinks | None:
        shelf = self.shelf(workspace)
        found = shelf.documents.get(document)
        return shelf.document_with_links(found) if found else None

    async def find(self, workspace: WorkspaceId, wanted: DocumentFilter, place: Page | After) -> DocumentPage:
        return queries.find(self.shelf(workspace), wanted, place)

    async def linked(
        self, workspace: WorkspaceId, entity_type: EntityType, entity_id: str, role: str | None, page: Page
    ) -> Rows[LinkedDocument]:
        return queries.linked(self.shelf(workspace), entity_type, entity_id, role, page)

    async def folders(self, workspace: WorkspaceId, parent: FolderPath | None, page: Page) -> Rows[FolderCount]:
        return queries.folders(self.shelf(workspace), parent, page)

    async def tags(self, workspace: WorkspaceId, page: Page) -> Rows[TagCount]:
        return queries.tags(self.shelf(workspace), page)

    async def usage(self, workspace: WorkspaceId) -> Usage:
        owner = await self._workspaces.get(workspace)
        shelf = self.shelf(workspace)
        return Usage(shelf.used_bytes, owner.quota_bytes if owner else 0, len(shelf.documents))

    def shelf(self, workspace: WorkspaceId) -> Shelf:
        """What a workspace has, for the ledger that looks at the same."""
        return self.shelves.setdefault(workspace, Shelf())

    def _answered(self, intent: Intent, at: datetime) -> Replayed | IdempotencyKeyReused | None:
        match self.receipts.answered(intent, at):
            case Receipt(answer=Document() as document):
                return Replayed(document)
            case IdempotencyKeyReused() as reused:
                return reused
            case _:
                return None

    def _shelf_of(self, intent: Intent) -> Shelf:
        return self.shelf(intent.caller.workspace_id)

    def _once(
        self, intent: Intent, at: datetime, success: type[Success], write: Callable[[Shelf], Success | Refused]
    ) -> Success | Refused | IdempotencyKeyReused:
        """Answer from the receipt of the intent, or write and leave a receipt of the success."""
        match self.receipts.answered(intent, at):
            case Receipt(answer=earlier) if isinstance(earlier, success):
                return replace(earlier, replayed=True)
            case IdempotencyKeyReused() as reused:
                return reused
        outcome = write(self._shelf_of(intent))
        if isinstance(outcome, success):
            self.receipts.keep(intent, outcome, at)
        return outcome
