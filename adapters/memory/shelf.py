"""What one workspace has."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.documents import Document
from domain.ids import DocumentId, LinkId
from domain.links import Link
from domain.paths import FolderPath, StoragePath
from ports.finding import WithLinks
from ports.ledger import PathState


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger says of a path: whose it is or was, and since when nobody's."""

    state: PathState
    document_id: DocumentId | None
    condemned_at: datetime | None = None


@dataclass(slots=True)
class Shelf:
    """The documents of one workspace, and what is known beside them."""

    used_bytes: int = 0
    documents: dict[DocumentId, Document] = field(default_factory=dict)
    links: dict[LinkId, Link] = field(default_factory=dict)
    folders: set[FolderPath] = field(default_factory=set)
    paths: dict[StoragePath, Entry] = field(default_factory=dict)

    def with_links(self, document: Document) -> WithLinks:
        """The document and its links, oldest first: by their ids."""
        links = [link for link in self.links.values() if link.document_id == document.id]
        return WithLinks(document, tuple(sorted(links, key=lambda link: link.id)))
