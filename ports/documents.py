"""Documents at rest: one call per intent, so that facts that belong together are written together."""

from dataclasses import dataclass
from typing import Protocol, overload

from domain.documents import Document
from domain.ids import DocumentId, WorkspaceId
from domain.links import EntityType
from domain.pages import Page, Rows
from domain.paths import FolderPath
from ports.changes import (
    AddLink,
    Delete,
    DeleteOutcome,
    LinkOutcome,
    MoveFolder,
    MoveOutcome,
    Patch,
    PatchOutcome,
    RemoveLink,
    UnlinkOutcome,
)
from ports.finding import After, DocumentFilter, DocumentPage, FolderCount, LinkedDocument, TagCount, WithLinks
from ports.intents import Intent, KeyReused


@dataclass(frozen=True, slots=True)
class Created:
    """The document is recorded, durably."""

    document: Document


@dataclass(frozen=True, slots=True)
class Replayed:
    """The same intent was carried out before; the document as it was then."""

    document: Document


@dataclass(frozen=True, slots=True)
class PathTaken:
    """The path is recorded, or was once; `document_id` only while that document is there."""

    document_id: DocumentId | None


@dataclass(frozen=True, slots=True)
class OverQuota:
    """The document does not fit: sizes in bytes, as they were under the lock."""

    limit_bytes: int
    used_bytes: int
    requested_bytes: int


Outcome = Created | Replayed | KeyReused | PathTaken | OverQuota


@dataclass(frozen=True, slots=True)
class Usage:
    """What a workspace uses: the sum of its documents' stored sizes, the quota (both in bytes), its documents."""

    used_bytes: int
    quota_bytes: int
    documents: int


class DocumentRepository(Protocol):
    async def create(self, document: Document, intent: Intent) -> Outcome:
        """Record a document together with its folders, quota charge, object state, receipt and event: all or nothing.

        Its workspace exists.

        Decided in this order, under one lock of the workspace: a receipt of the same key that is younger than 24 hours
        answers (`Replayed`, or `KeyReused` for another intent); a path that is known is `PathTaken`; what does not fit
        the quota is `OverQuota`; else `Created`. Only `Created` writes, and writes the receipt, if there is a key.

        Safe to call again with the same document and intent, whatever became of the call before: a path or a receipt
        held by this very document is `Created`. After `Unavailable` everything is recorded or nothing is.
        """
        ...

    async def receipt(self, intent: Intent) -> Replayed | KeyReused | None:
        """What `create` would answer from the receipt of this intent's key, if there is a receipt."""
        ...

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
    async def change(self, what: object, intent: object) -> object:
        """Change what is recorded, together with the receipt and the event: all or nothing.

        It is the workspace of the intent's caller, which exists. Decided under the lock that `create` takes: a receipt
        of the same key that is younger than 24 hours answers first (as `replayed`, or `KeyReused`); then it is looked
        whether what is named is there, then whether it is as it has to be. What was done leaves a receipt, if there is
        a key; what was changed leaves an event: a patch that changes nothing, and a link that is there, do not.

        Folders come into being with what lies in them, those above them too, and stay when they are empty.

        After `Unavailable` all of it is done, or nothing. It is done once, however often the adapter itself tries.
        """
        ...

    async def get(self, workspace: WorkspaceId, document: DocumentId) -> WithLinks | None:
        """The document, if it is this workspace's, and its links."""
        ...

    async def find(self, workspace: WorkspaceId, wanted: DocumentFilter, place: Page | After) -> DocumentPage:
        """The documents that pass the filter, newest first: by their ids, which are as old as they are."""
        ...

    async def linked(
        self, workspace: WorkspaceId, entity_type: EntityType, entity_id: str, role: str | None, page: Page
    ) -> Rows[LinkedDocument]:
        """The documents that belong to something, in that role or in any; the last linked first."""
        ...

    async def folders(self, workspace: WorkspaceId, parent: FolderPath | None, page: Page) -> Rows[FolderCount]:
        """The folders one level below `parent`, or below the root, by their paths' code points."""
        ...

    async def tags(self, workspace: WorkspaceId, page: Page) -> Rows[TagCount]:
        """Every tag that one of the `TAG_WINDOW` newest documents has: the most frequent first, then by code points."""
        ...

    async def usage(self, workspace: WorkspaceId) -> Usage:
        """What the workspace uses now; all zero for one that does not exist."""
        ...
