"""Documents at rest: one call per intent, so that facts that belong together are written together."""

from dataclasses import dataclass
from typing import Protocol

from domain.documents import Document
from domain.ids import DocumentId, WorkspaceId
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

    async def get(self, workspace: WorkspaceId, document: DocumentId) -> Document | None:
        """The document, if it is this workspace's."""
        ...

    async def usage(self, workspace: WorkspaceId) -> Usage:
        """What the workspace uses now; all zero for one that does not exist."""
        ...
