"""The changes of one workspace's documents: each is checked and made without awaiting anything in between."""

from dataclasses import replace
from datetime import datetime

from adapters.memory.shelf import Entry, Shelf
from domain.documents import Changes, Revisions
from domain.entity_links import EntityLink
from domain.ids import DocumentId, EntityLinkId
from domain.paths import FOLDER_LEVELS_MAX, FolderPath, ancestors, depth, is_within
from ports.ledger import PathState
from ports.outcomes import (
    Deleted,
    FolderMoved,
    FolderTaken,
    LinkAdded,
    LinkRemoved,
    NoSuchDocument,
    NoSuchFolder,
    NoSuchLink,
    Patched,
    RevisionMismatch,
    TooDeep,
)


def patch(
    shelf: Shelf, id_: DocumentId, changes: Changes, expected: Revisions | None, at: datetime
) -> Patched | NoSuchDocument | RevisionMismatch:
    """Apply the changes to a document."""
    document = shelf.documents.get(id_)
    if document is None:
        return NoSuchDocument()
    if expected is not None and document.revision not in expected:
        return RevisionMismatch()
    changed = changes.applied_to(document, at)
    shelf.documents[document.id] = changed
    shelf.folders.update(ancestors(changed.folder))
    return Patched(shelf.document_with_links(changed))


def delete(
    shelf: Shelf, id_: DocumentId, expected: Revisions | None, at: datetime
) -> Deleted | NoSuchDocument | RevisionMismatch:
    """Delete a document and its entity links, return its size, condemn its path."""
    document = shelf.documents.get(id_)
    if document is None:
        return NoSuchDocument()
    if expected is not None and document.revision not in expected:
        return RevisionMismatch()
    del shelf.documents[document.id]
    for link in shelf.document_with_links(document).links:
        del shelf.links[link.id]
    shelf.used_bytes -= document.stored.size_bytes
    shelf.paths[document.storage_path] = Entry(PathState.CONDEMNED, document.id, at)
    return Deleted(document.storage_path)


def add_link(shelf: Shelf, wanted: EntityLink) -> LinkAdded | NoSuchDocument:
    """Add an entity link, unless the document has one to the same entity."""
    document = shelf.documents.get(wanted.document_id)
    if document is None:
        return NoSuchDocument()
    for link in shelf.document_with_links(document).links:
        if (link.entity_type, link.entity_id) == (wanted.entity_type, wanted.entity_id):
            return LinkAdded(link, is_new=False)
    shelf.links[wanted.id] = wanted
    return LinkAdded(wanted, is_new=True)


def remove_link(shelf: Shelf, document: DocumentId, id_: EntityLinkId) -> LinkRemoved | NoSuchLink:
    """Remove an entity link of a document."""
    link = shelf.links.get(id_)
    if link is None or link.document_id != document:
        return NoSuchLink()
    del shelf.links[link.id]
    return LinkRemoved()


def move_folder(
    shelf: Shelf, source: FolderPath, target: FolderPath
) -> FolderMoved | NoSuchFolder | FolderTaken | TooDeep:
    """Give a folder and everything below it another path."""
    if source not in shelf.folders:
        return NoSuchFolder()
    if target in shelf.folders:
        return FolderTaken()
    moved: dict[FolderPath | None, FolderPath] = {
        folder: FolderPath(target + folder.removeprefix(source))
        for folder in shelf.folders
        if is_within(folder, source)
    }
    if max(map(depth, moved.values())) > FOLDER_LEVELS_MAX:
        return TooDeep()
    shelf.folders = shelf.folders - moved.keys() | {*moved.values(), *ancestors(target)}
    inside = [document for document in shelf.documents.values() if document.folder in moved]
    for document in inside:
        shelf.documents[document.id] = replace(document, folder=moved[document.folder])
    return FolderMoved(len(inside))
