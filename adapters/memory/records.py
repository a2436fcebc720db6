"""The state of one workspace in memory."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.documents import Document
from domain.entity_links import EntityLink
from domain.ids import DocumentId, EntityLinkId
from domain.paths import FolderPath, StoragePath
from ports.ledger import IssuedUpload, PathState
from ports.queries import DocumentWithLinks


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The ledger's entry of a path: its state, the document that is or was recorded there, the time of its
    condemnation, and when its object is deleted again."""

    state: PathState
    document_id: DocumentId | None
    condemned_at: datetime | None = None
    delete_again_at: datetime | None = None


@dataclass(slots=True)
class WorkspaceRecords:
    """The documents of one workspace with their entity links and folders, the ledger of paths, and the used bytes.

    The ledger is in two parts, as in Postgres: `uploads` has the issued paths, and `paths` the others.
    """

    used_bytes: int = 0
    documents: dict[DocumentId, Document] = field(default_factory=dict)
    entity_links: dict[EntityLinkId, EntityLink] = field(default_factory=dict)
    folders: set[FolderPath] = field(default_factory=set)
    paths: dict[StoragePath, LedgerEntry] = field(default_factory=dict)
    uploads: dict[StoragePath, IssuedUpload] = field(default_factory=dict)

    @property
    def reserved_bytes(self) -> int:
        """Return what issued uploads have reserved."""
        return sum(upload.reserved_bytes for upload in self.uploads.values())

    def known_paths(self) -> list[StoragePath]:
        """Return every path of the ledger."""
        return [*self.uploads, *self.paths]

    def taken_by_others(self, path: StoragePath) -> int:
        """Return what is used and reserved, without the reservation of this path."""
        own = self.uploads.get(path)
        return self.used_bytes + self.reserved_bytes - (own.reserved_bytes if own else 0)

    def links_of(self, document: Document) -> list[EntityLink]:
        """Return the entity links of the document, oldest first, which is the order of their ids."""
        links = [link for link in self.entity_links.values() if link.document_id == document.id]
        return sorted(links, key=lambda link: link.id)

    def document_with_links(self, document: Document) -> DocumentWithLinks:
        """Return the document with the entities of its links."""
        return DocumentWithLinks(document, tuple(link.entity for link in self.links_of(document)))
