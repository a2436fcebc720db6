"""What can be changed of what is recorded, and what may come of it. Whose it is, the intent says."""

from dataclasses import dataclass
from datetime import datetime

from domain.documents import Changes
from domain.ids import DocumentId, LinkId
from domain.links import Link
from domain.paths import FolderPath, StoragePath
from ports.finding import WithLinks
from ports.intents import KeyReused

Revisions = frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Change what is sent. `only_if`: nothing, unless the record is in one of these states; `None` is whichever."""

    document: DocumentId
    changes: Changes
    only_if: Revisions | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete a document and its links, and condemn its path. `only_if` as in a `Patch`."""

    document: DocumentId
    only_if: Revisions | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLink:
    """Link a document, unless it is linked to the same thing already."""

    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLink:
    """Remove a link of a document."""

    document: DocumentId
    link: LinkId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFolder:
    """Give a folder, and so everything below it, another path, which lies neither at nor below its own."""

    source: FolderPath
    target: FolderPath
    at: datetime


Change = Patch | Delete | AddLink | RemoveLink | MoveFolder


@dataclass(frozen=True, slots=True)
class Patched:
    """The document as it is now."""

    found: WithLinks


@dataclass(frozen=True, slots=True)
class Deleted:
    """The document is gone; its bytes lie at `path` still. `replayed` when the same intent was carried out before."""

    path: StoragePath
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """The link there is: a new one, or one that was there. `replayed` as in `Deleted`; the link as it was then."""

    link: Link
    is_new: bool
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Unlinked:
    """The link is gone. `replayed` as in `Deleted`."""

    replayed: bool = False


@dataclass(frozen=True, slots=True)
class FolderMoved:
    """How many documents lie in the folder and below it."""

    documents: int


@dataclass(frozen=True, slots=True)
class NoSuchDocument:
    """The workspace has no document of that id."""


@dataclass(frozen=True, slots=True)
class OtherRevision:
    """The record is in none of the states that were named."""


@dataclass(frozen=True, slots=True)
class NoSuchLink:
    """The document has no link of that id, or is not there."""


@dataclass(frozen=True, slots=True)
class NoSuchFolder:
    """The workspace has no folder of that path."""


@dataclass(frozen=True, slots=True)
class FolderTaken:
    """There is a folder at the other path."""


@dataclass(frozen=True, slots=True)
class TooDeep:
    """A folder below it would have more levels than one may have."""


PatchOutcome = Patched | NoSuchDocument | OtherRevision
DeleteOutcome = Deleted | KeyReused | NoSuchDocument | OtherRevision
LinkOutcome = Linked | KeyReused | NoSuchDocument
UnlinkOutcome = Unlinked | KeyReused | NoSuchLink
MoveOutcome = FolderMoved | NoSuchFolder | FolderTaken | TooDeep
ChangeOutcome = PatchOutcome | DeleteOutcome | LinkOutcome | UnlinkOutcome | MoveOutcome
