"""The storage of documents. One call makes one complete change, so that everything that it writes is one
transaction."""

from datetime import datetime
from typing import Protocol

from domain.documents import Changes, Document
from domain.entity_links import EntityLink, EntityType
from domain.ids import DocumentId, EntityLinkId, WorkspaceId
from domain.pages import Page, Rows
from domain.paths import FolderPath
from domain.preconditions import UNCONDITIONAL, Precondition
from domain.search import DocumentFilter
from ports.intents import Intent
from ports.ledger import IssuedUpload
from ports.outcomes import (
    AddLinkOutcome,
    CreateOutcome,
    DeleteFolderOutcome,
    DeleteOutcome,
    IdempotencyKeyReused,
    IssueOutcome,
    MoveFolderOutcome,
    PatchOutcome,
    RemoveLinkOutcome,
    Replayed,
)
from ports.queries import After, DocumentPage, DocumentWithLinks, FolderCount, LinkedDocument, TagCount, Usage


class DocumentRepository(Protocol):
    """The documents of all workspaces.

    Every write obeys one protocol:

    - It happens in the workspace of the intent's caller, which exists, and is decided under that workspace's lock.
    - If the intent has an idempotency key, the repository first looks for its receipt, which counts for 24 hours. If
      there is one, the outcome is the first outcome, marked as replayed, or `IdempotencyKeyReused` if the receipt
      belongs to another operation or fingerprint. Then the repository checks that the named rows exist, then the other
      conditions.
    - A successful call writes everything in one transaction, with its receipt (if the intent has an idempotency key)
      and its event. A patch that changes nothing and a link that already exists write no event. A refusal writes
      nothing.
    - After `Unavailable`, the write happened completely or not at all. The repository retries a failed call, and the
      write happens at most once, however often it retries.
    """

    async def issue_upload(self, upload: IssuedUpload) -> IssueOutcome:
        """Issue a new path, and let it reserve a part of the quota.

        The used bytes, the reserved bytes and the new reservation together must fit the quota. Safe to call again.
        After a crash of the database, an upload that was issued in the last second may be forgotten: its path is free.
        """
        ...

    async def create(self, document: Document, intent: Intent) -> CreateOutcome:
        """Record a document together with its folders, quota charge, ledger entry, receipt and event.

        Decided in this order: the receipt; a storage path that is neither free nor issued is `PathTaken`; a size that
        does not fit the quota, beside everything that is used and that other uploads have reserved, is `OverQuota`;
        else `Created`. The reservation of an issued path is released in the same call.

        A caller may repeat the call with the same document and intent, whatever the first call did. If the path or the
        receipt belongs to this very document, the outcome is `Created`.
        """
        ...

    async def receipt(self, intent: Intent) -> Replayed | IdempotencyKeyReused | None:
        """Return what `create` would report from the receipt of this intent; `None` if there is no receipt."""
        ...

    async def patch(
        self,
        document: DocumentId,
        changes: Changes,
        *,
        precondition: Precondition = UNCONDITIONAL,
        at: datetime,
        intent: Intent,
    ) -> PatchOutcome:
        """Apply the changes to a document, if the precondition holds.

        A new folder and every folder above it are created, unless the workspace would then have more than
        `FOLDERS_MAX`. Folders that become empty stay until `ObjectLedger.delete_empty_folders`.
        """
        ...

    async def delete(
        self, document: DocumentId, *, precondition: Precondition = UNCONDITIONAL, at: datetime, intent: Intent
    ) -> DeleteOutcome:
        """Delete a document and its entity links, return its size to the quota, and condemn its storage path.

        Nothing happens if the precondition does not hold.
        """
        ...

    async def add_link(self, link: EntityLink, *, intent: Intent) -> AddLinkOutcome:
        """Add an entity link, unless the document already has one to the same entity.

        A new link gives the document its next revision, as a removed one does; `updated_at` stays.
        """
        ...

    async def remove_link(
        self, document: DocumentId, link: EntityLinkId, *, at: datetime, intent: Intent
    ) -> RemoveLinkOutcome:
        """Remove an entity link of a document."""
        ...

    async def move_folder(
        self, source: FolderPath, target: FolderPath, *, at: datetime, intent: Intent
    ) -> MoveFolderOutcome:
        """Give a folder, and so everything below it, another path.

        `target` is neither `source` nor below it. Every folder above `target` is created, within `FOLDERS_MAX`. If a
        folder without any document exists at `target`, it is replaced.
        """
        ...

    async def delete_folder(self, folder: FolderPath, *, at: datetime, intent: Intent) -> DeleteFolderOutcome:
        """Delete a folder and all folders below it, unless a document is in one of them."""
        ...

    async def get(self, workspace: WorkspaceId, document: DocumentId) -> DocumentWithLinks | None:
        """Return the document with its entity links; `None` if this workspace has no such document."""
        ...

    async def find(self, workspace: WorkspaceId, wanted: DocumentFilter, place: Page | After) -> DocumentPage:
        """Return the documents that pass the filter, newest first. Ids sort by time of creation."""
        ...

    async def linked(
        self, workspace: WorkspaceId, entity_type: EntityType, entity_id: str, role: str | None, page: Page
    ) -> Rows[LinkedDocument]:
        """Return the documents linked to an entity, the newest link first. `role` is `None` for links of any role."""
        ...

    async def folders(self, workspace: WorkspaceId, parent: FolderPath | None, page: Page) -> Rows[FolderCount]:
        """Return the folders one level below `parent` (`None`: the root), in the order of their paths' code points."""
        ...

    async def tags(self, workspace: WorkspaceId, page: Page) -> Rows[TagCount]:
        """Return the tags of the `TAG_WINDOW` newest documents: the most frequent first, then by code points."""
        ...

    async def usage(self, workspace: WorkspaceId) -> Usage:
        """Return the current usage of the workspace; all zero for a workspace that does not exist."""
        ...
