"""The document repository in memory. Its outcomes are the reference for every other adapter."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from adapters.memory import changes as writes
from adapters.memory import queries
from adapters.memory.receipts import Receipt
from adapters.memory.records import LedgerEntry, WorkspaceRecords
from adapters.memory.workspaces import MemoryWorkspaces
from domain.documents import Changes, Document
from domain.entity_links import EntityLink, EntityType
from domain.ids import DocumentId, EntityLinkId, WorkspaceId
from domain.pages import Page, Rows
from domain.paths import FolderPath, ancestors
from domain.preconditions import UNCONDITIONAL, Precondition
from domain.search import DocumentFilter
from ports.intents import Intent
from ports.ledger import IssuedUpload, PathState
from ports.outcomes import (
    AddLinkOutcome,
    Created,
    CreateOutcome,
    Deleted,
    DeleteFolderOutcome,
    DeleteOutcome,
    FolderDeleted,
    FolderMoved,
    IdempotencyKeyReused,
    IssueOutcome,
    LinkAdded,
    LinkRemoved,
    MoveFolderOutcome,
    OverQuota,
    Patched,
    PatchOutcome,
    PathTaken,
    RemoveLinkOutcome,
    Replayed,
    TooManyFolders,
    UploadIssued,
)
from ports.queries import After, DocumentPage, DocumentWithLinks, FolderCount, LinkedDocument, TagCount, Usage
from ports.system import Clock

Success = TypeVar("Success", Patched, Deleted, LinkAdded, LinkRemoved, FolderMoved, FolderDeleted)
Refused = TypeVar("Refused")


class MemoryDocuments:
    """`DocumentRepository` in memory, with the decisions in the order that the port promises."""

    def __init__(self, workspaces: MemoryWorkspaces, now: Clock) -> None:
        self._workspaces = workspaces
        self._now = now
        self.receipts = workspaces.receipts
        self.by_workspace: dict[WorkspaceId, WorkspaceRecords] = {}

    async def issue_upload(self, upload: IssuedUpload) -> IssueOutcome:
        usage = await self.usage(upload.workspace_id)
        records = self.records_of(upload.workspace_id)
        # No other call knows the path: a known one was issued by an earlier attempt of this call.
        if upload.path in records.uploads:
            return UploadIssued()
        taken = records.taken_by_others(upload.path)
        if not writes.fits(upload.reserved_bytes, usage.quota_bytes - taken):
            return OverQuota(usage.quota_bytes, taken, upload.reserved_bytes)
        records.uploads[upload.path] = upload
        return UploadIssued()

    async def create(self, document: Document, intent: Intent) -> CreateOutcome:
        usage = await self.usage(document.workspace_id)
        # Nothing is awaited from here on. The checks are in the order that the port defines: receipt, path, quota,
        # number of folders.
        records = self.records_of(document.workspace_id)
        size = document.stored.size_bytes
        if replayed := self._replayed(intent, document.created_at):
            # An earlier attempt of the same create, whose outcome was lost, is not a replay.
            return Created(document) if replayed == Replayed(document) else replayed
        if (entry := records.paths.get(document.storage_path)) is not None:
            if entry.document_id == document.id:
                return Created(document)
            return PathTaken(entry.document_id if entry.state is PathState.RECORDED else None)
        taken = records.taken_by_others(document.storage_path)
        if not writes.fits(size, usage.quota_bytes - taken):
            return OverQuota(usage.quota_bytes, taken, size)
        if not writes.has_room_for_folder(records, document.folder):
            return TooManyFolders()
        records.uploads.pop(document.storage_path, None)
        records.used_bytes += size
        records.documents[document.id] = document
        records.folders.update(ancestors(document.folder))
        records.paths[document.storage_path] = LedgerEntry(PathState.RECORDED, document.id)
        self.receipts.keep(intent, document, document.created_at)
        self._workspaces.changes += 1
        return Created(document)

    async def receipt(self, intent: Intent) -> Replayed | IdempotencyKeyReused | None:
        return self._replayed(intent, self._now())

    async def patch(
        self,
        document: DocumentId,
        changes: Changes,
        *,
        precondition: Precondition = UNCONDITIONAL,
        at: datetime,
        intent: Intent,
    ) -> PatchOutcome:
        return self._once(
            intent, at, Patched, lambda records: writes.patch(records, document, changes, precondition, at)
        )

    async def delete(
        self, document: DocumentId, *, precondition: Precondition = UNCONDITIONAL, at: datetime, intent: Intent
    ) -> DeleteOutcome:
        return self._once(intent, at, Deleted, lambda records: writes.delete(records, document, precondition, at))

    async def add_link(self, link: EntityLink, *, intent: Intent) -> AddLinkOutcome:
        return self._once(intent, link.created_at, LinkAdded, lambda records: writes.add_link(records, link))

    async def remove_link(
        self, document: DocumentId, link: EntityLinkId, *, at: datetime, intent: Intent
    ) -> RemoveLinkOutcome:
        return self._once(intent, at, LinkRemoved, lambda records: writes.remove_link(records, document, link))

    async def move_folder(
        self, source: FolderPath, target: FolderPath, *, at: datetime, intent: Intent
    ) -> MoveFolderOutcome:
        return self._once(intent, at, FolderMoved, lambda records: writes.move_folder(records, source, target))

    async def delete_folder(self, folder: FolderPath, *, at: datetime, intent: Intent) -> DeleteFolderOutcome:
        return self._once(intent, at, FolderDeleted, lambda records: writes.delete_folder(records, folder))

    async def get(self, workspace: WorkspaceId, document: DocumentId) -> DocumentWithLinks | None:
        records = self.records_of(workspace)
        found = records.documents.get(document)
        return records.document_with_links(found) if found else None

    async def find(self, workspace: WorkspaceId, wanted: DocumentFilter, place: Page | After) -> DocumentPage:
        return queries.find(self.records_of(workspace), wanted, place)

    async def linked(
        self, workspace: WorkspaceId, entity_type: EntityType, entity_id: str, role: str | None, page: Page
    ) -> Rows[LinkedDocument]:
        return queries.linked(self.records_of(workspace), entity_type, entity_id, role, page)

    async def folders(self, workspace: WorkspaceId, parent: FolderPath | None, page: Page) -> Rows[FolderCount]:
        return queries.folders(self.records_of(workspace), parent, page)

    async def tags(self, workspace: WorkspaceId, page: Page) -> Rows[TagCount]:
        return queries.tags(self.records_of(workspace), page)

    async def usage(self, workspace: WorkspaceId) -> Usage:
        owner = await self._workspaces.get(workspace)
        records = self.records_of(workspace)
        quota_bytes = owner.quota_bytes if owner else 0
        return Usage(records.used_bytes, quota_bytes, len(records.documents), records.reserved_bytes)

    def records_of(self, workspace: WorkspaceId) -> WorkspaceRecords:
        """Return the records of a workspace. The ledger uses the same records."""
        return self.by_workspace.setdefault(workspace, WorkspaceRecords())

    def _replayed(self, intent: Intent, at: datetime) -> Replayed | IdempotencyKeyReused | None:
        match self.receipts.find(intent, at):
            case Receipt(outcome=Document() as document):
                return Replayed(document)
            case IdempotencyKeyReused() as reused:
                return reused
            case _:
                return None

    def _once(
        self,
        intent: Intent,
        at: datetime,
        success: type[Success],
        write: Callable[[WorkspaceRecords], Success | Refused],
    ) -> Success | Refused | IdempotencyKeyReused:
        """Return the outcome in the receipt of the intent. Without a receipt, call `write`, and store a successful
        outcome as the receipt."""
        match self.receipts.find(intent, at):
            case Receipt(outcome=earlier) if isinstance(earlier, success):
                return replace(earlier, replayed=True)
            case IdempotencyKeyReused() as reused:
                return reused
        outcome = write(self.records_of(intent.caller.workspace_id))
        if isinstance(outcome, success):
            self._workspaces.changes += 1
            self.receipts.keep(intent, outcome, at)
        return outcome
