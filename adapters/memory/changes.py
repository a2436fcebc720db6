"""Each change of what one workspace has: looked at and done in one go."""

from dataclasses import replace

from adapters.memory.shelf import Entry, Shelf
from domain.paths import FOLDER_MAX_SEGMENTS, FolderPath, ancestors, depth, is_within
from ports.changes import (
    AddLink,
    Change,
    ChangeOutcome,
    Delete,
    Deleted,
    DeleteOutcome,
    FolderMoved,
    FolderTaken,
    Linked,
    LinkOutcome,
    MoveFolder,
    MoveOutcome,
    NoSuchDocument,
    NoSuchFolder,
    NoSuchLink,
    OtherRevision,
    Patch,
    Patched,
    PatchOutcome,
    RemoveLink,
    TooDeep,
    Unlinked,
    UnlinkOutcome,
)
from ports.ledger import PathState


def change(shelf: Shelf, what: Change) -> ChangeOutcome:
    """Do what is wanted, or say why not and do nothing."""
    match what:
        case Patch():
            return _patch(shelf, what)
        case Delete():
            return _delete(shelf, what)
        case AddLink():
            return _add_link(shelf, what)
        case RemoveLink():
            return _remove_link(shelf, what)
        case MoveFolder():
            return _move_folder(shelf, what)


def _patch(shelf: Shelf, what: Patch) -> PatchOutcome:
    document = shelf.documents.get(what.document)
    if document is None:
        return NoSuchDocument()
    if what.only_if is not None and document.revision not in what.only_if:
        return OtherRevision()
    changed = what.changes.applied_to(document, what.at)
    shelf.documents[document.id] = changed
    shelf.folders.update(ancestors(changed.folder))
    return Patched(shelf.with_links(changed))


def _delete(shelf: Shelf, what: Delete) -> DeleteOutcome:
    document = shelf.documents.get(what.document)
    if document is None:
        return NoSuchDocument()
    if what.only_if is not None and document.revision not in what.only_if:
        return OtherRevision()
    del shelf.documents[document.id]
    for link in shelf.with_links(document).links:
        del shelf.links[link.id]
    shelf.used_bytes -= document.stored.size_bytes
    shelf.paths[document.storage_path] = Entry(PathState.CONDEMNED, document.id, what.at)
    return Deleted(document.storage_path)


def _add_link(shelf: Shelf, what: AddLink) -> LinkOutcome:
    wanted = what.link
    document = shelf.documents.get(wanted.document_id)
    if document is None:
        return NoSuchDocument()
    for link in shelf.with_links(document).links:
        if (link.entity_type, link.entity_id) == (wanted.entity_type, wanted.entity_id):
            return Linked(link, is_new=False)
    shelf.links[wanted.id] = wanted
    return Linked(wanted, is_new=True)


def _remove_link(shelf: Shelf, what: RemoveLink) -> UnlinkOutcome:
    link = shelf.links.get(what.link)
    if link is None or link.document_id != what.document:
        return NoSuchLink()
    del shelf.links[link.id]
    return Unlinked()


def _move_folder(shelf: Shelf, what: MoveFolder) -> MoveOutcome:
    if what.source not in shelf.folders:
        return NoSuchFolder()
    if what.target in shelf.folders:
        return FolderTaken()
    moved: dict[FolderPath | None, FolderPath] = {
        folder: FolderPath(what.target + folder.removeprefix(what.source))
        for folder in shelf.folders
        if is_within(folder, what.source)
    }
    if max(map(depth, moved.values())) > FOLDER_MAX_SEGMENTS:
        return TooDeep()
    shelf.folders = shelf.folders - moved.keys() | {*moved.values(), *ancestors(what.target)}
    inside = [document for document in shelf.documents.values() if document.folder in moved]
    for document in inside:
        shelf.documents[document.id] = replace(document, folder=moved[document.folder])
    return FolderMoved(len(inside))
