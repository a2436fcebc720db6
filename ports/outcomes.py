"""The outcomes of writes, one closed union for each method of a repository.

The use case decides what an outcome means. `replayed` is true if the repository found a receipt: an earlier request
with a like intent made the change (see `Intent`).
"""

from dataclasses import dataclass

from domain.documents import Document
from domain.entity_links import EntityLink
from domain.ids import DocumentId
from domain.paths import StoragePath
from ports.queries import DocumentWithLinks


@dataclass(frozen=True, slots=True)
class IdempotencyKeyReused:
    """The idempotency key belongs to another operation or fingerprint."""


@dataclass(frozen=True, slots=True)
class NoSuchDocument:
    """The workspace has no document with that id."""


@dataclass(frozen=True, slots=True)
class StateMismatch:
    """The document is in a state that the precondition does not allow."""


@dataclass(frozen=True, slots=True)
class Created:
    """The document is recorded, and the write is committed."""

    document: Document


@dataclass(frozen=True, slots=True)
class Replayed:
    """An earlier request with a like intent recorded the document. `document` is as it was then."""

    document: Document


@dataclass(frozen=True, slots=True)
class PathTaken:
    """The storage path is or was recorded. `document_id` is `None` if that document no longer exists."""

    document_id: DocumentId | None


@dataclass(frozen=True, slots=True)
class OverQuota:
    """The file does not fit into the quota. Sizes are in bytes, read under the workspace lock.

    `used_bytes` includes what other uploads have reserved.
    """

    limit_bytes: int
    used_bytes: int
    requested_bytes: int


@dataclass(frozen=True, slots=True)
class UploadIssued:
    """The path is issued, and the upload has its reservation."""


IssueOutcome = UploadIssued | OverQuota


@dataclass(frozen=True, slots=True)
class TooManyFolders:
    """The folder or one above it is new, and the workspace would have more folders than it may have."""


CreateOutcome = Created | Replayed | IdempotencyKeyReused | PathTaken | OverQuota | TooManyFolders


@dataclass(frozen=True, slots=True)
class Patched:
    """The document after the patch, with its entity links; a replay has both as they were after the first request."""

    found: DocumentWithLinks
    replayed: bool = False


PatchOutcome = Patched | IdempotencyKeyReused | NoSuchDocument | StateMismatch | TooManyFolders


@dataclass(frozen=True, slots=True)
class Deleted:
    """The record is deleted. The object at its `path` is condemned, and not deleted yet."""

    path: StoragePath
    replayed: bool = False


DeleteOutcome = Deleted | IdempotencyKeyReused | NoSuchDocument | StateMismatch


@dataclass(frozen=True, slots=True)
class LinkAdded:
    """The new or already existing entity link. If `replayed`, the link is as it was at the first request."""

    link: EntityLink
    is_new: bool
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class TooManyLinks:
    """The document already has as many entity links as a document may have."""


AddLinkOutcome = LinkAdded | IdempotencyKeyReused | NoSuchDocument | TooManyLinks


@dataclass(frozen=True, slots=True)
class LinkRemoved:
    """The entity link was removed."""

    replayed: bool = False


@dataclass(frozen=True, slots=True)
class NoSuchLink:
    """The document does not exist, or has no entity link with that id."""


RemoveLinkOutcome = LinkRemoved | IdempotencyKeyReused | NoSuchLink


@dataclass(frozen=True, slots=True)
class FolderMoved:
    """The folder has its new path. `documents` counts the documents in it and below it, at the first request.

    Up to `COUNT_MAX` documents and folders are counted. If there are more of either, `is_exact` is false, and
    `documents` is the number of those counted.
    """

    documents: int
    replayed: bool = False
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class NoSuchFolder:
    """The workspace has no folder at that path."""


@dataclass(frozen=True, slots=True)
class FolderTaken:
    """A folder with documents in it or below it already exists at the target path."""


@dataclass(frozen=True, slots=True)
class TooDeep:
    """After the move, a folder would have more levels than a path may have."""


MoveFolderOutcome = FolderMoved | IdempotencyKeyReused | NoSuchFolder | FolderTaken | TooDeep | TooManyFolders


@dataclass(frozen=True, slots=True)
class FolderDeleted:
    """The folder and all folders below it were deleted."""

    replayed: bool = False


@dataclass(frozen=True, slots=True)
class FolderHasDocuments:
    """Documents are in the folder or below it."""


DeleteFolderOutcome = FolderDeleted | IdempotencyKeyReused | NoSuchFolder | FolderHasDocuments
