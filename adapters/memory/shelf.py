"""What one workspace has."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.documents import Document
from domain.entity_links import EntityLink
from domain.ids import DocumentId, EntityLinkId
from domain.paths import FolderPath, StoragePath
from ports.ledger import PathState
from ports.queries import DocumentWithLinks


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
    links: dict[EntityLinkId, EntityLink] = field(default_factory=dict)
    folders: set[FolderPath] = field(default_factory=set)
    paths: dict[StoragePath, Entry] = field(default_factory=dict)

    def document_with_links(self, document: Document) -> DocumentWithLinks:
        """The document and its links, oldest first: by their ids."""
        links = [link for link in self.links.values() if link.document_id == document.id]
        return DocumentWithLinks(document, tuple(sorted(links, key=lambda link: link.id)))
