"""The changes to documents of one workspace. Each function checks the conditions, changes the records and returns the
outcome."""

from dataclasses import replace
from datetime import datetime

from adapters.memory.records import LedgerEntry, WorkspaceRecords
from domain.documents import Changes
from domain.entity_links import LINKS_MAX, EntityLink
from domain.ids import DocumentId, EntityLinkId
from domain.paths import (
    FOLDER_LEVELS_MAX,
    FOLDERS_MAX,
    FolderPath,
    ancestors,
    depth,
    is_within,
    parent,
)
from domain.preconditions import Precondition
from domain.search import COUNT_MAX
from ports.ledger import IssuedUpload, PathState
from ports.outcomes import (
    Deleted,
    FolderDeleted,
    FolderHasDocuments,
    FolderMoved,
    FolderTaken,
    LinkAdded,
    LinkRemoved,
    NoSuchDocument,
    NoSuchFolder,
    NoSuchLink,
    OverQuota,
    Patched,
    PathTaken,
    StateMismatch,
    TooDeep,
    TooManyFolders,
    TooManyLinks,
    UploadIssued,
)


def reserve(records: WorkspaceRecords, upload: IssuedUpload, quota_bytes: int) -> UploadIssued | OverQuota | PathTaken:
    """Issue a path, or replace the reservation of an issued one."""
    entry = records.paths.get(upload.path)
    if entry is not None:
        return PathTaken(entry.document_id if entry.state is PathState.RECORDED else None)
    known, taken = records.uploads.get(upload.path), records.taken_by_others(upload.path)
    is_larger = known is None or upload.reserved_bytes > known.reserved_bytes
    if is_larger and not fits(upload.reserved_bytes, quota_bytes - taken):
        return OverQuota(quota_bytes, taken, upload.reserved_bytes)
    records.uploads[upload.path] = upload
    return UploadIssued()


def fits(size_bytes: int, room_bytes: int) -> bool:
    """Return whether so many bytes fit the rest of a quota. Nothing always fits, even if the quota is exceeded."""
    return size_bytes <= max(room_bytes, 0)


def has_room_for_folder(records: WorkspaceRecords, folder: FolderPath | None) -> bool:
    """Return whether the workspace may have as many folders as it has with this one and those above it."""
    missing = [level for level in ancestors(folder) if level not in records.folders]
    return not missing or len(records.folders) + len(missing) <= FOLDERS_MAX


def patch(
    records: WorkspaceRecords, id_: DocumentId, changes: Changes, precondition: Precondition, at: datetime
) -> Patched | NoSuchDocument | StateMismatch | TooManyFolders:
    """Apply the changes to a document, and create its new folder and every folder above it."""
    document = records.documents.get(id_)
    if document is None:
        return NoSuchDocument()
    if not precondition.holds(document.state):
        return StateMismatch()
    changed = changes.applied_to(document, at)
    if not has_room_for_folder(records, changed.folder):
        return TooManyFolders()
    records.documents[document.id] = changed
    records.folders.update(ancestors(changed.folder))
    return Patched(records.document_with_links(changed))


def delete(
    records: WorkspaceRecords, id_: DocumentId, precondition: Precondition, at: datetime
) -> Deleted | NoSuchDocument | StateMismatch:
    """Delete a document and its entity links, subtract its size from the used bytes, and condemn its path."""
    document = records.documents.get(id_)
    if document is None:
        return NoSuchDocument()
    if not precondition.holds(document.state):
        return StateMismatch()
    del records.documents[document.id]
    for link in records.links_of(document):
        del records.entity_links[link.id]
    records.used_bytes -= document.stored.size_bytes
    records.paths[document.storage_path] = LedgerEntry(PathState.CONDEMNED, document.id, at)
    return Deleted(document.storage_path)


def add_link(records: WorkspaceRecords, wanted: EntityLink) -> LinkAdded | NoSuchDocument | TooManyLinks:
    """Add an entity link; report the existing one if the document is already linked to the entity."""
    document = records.documents.get(wanted.document_id)
    if document is None:
        return NoSuchDocument()
    for link in records.links_of(document):
        if (link.entity_type, link.entity_id) == (wanted.entity_type, wanted.entity_id):
            return LinkAdded(link, is_new=False)
    if len(records.links_of(document)) >= LINKS_MAX:
        return TooManyLinks()
    records.entity_links[wanted.id] = wanted
    _next_revision(records, document.id)
    return LinkAdded(wanted, is_new=True)


def remove_link(records: WorkspaceRecords, document: DocumentId, id_: EntityLinkId) -> LinkRemoved | NoSuchLink:
    """Remove an entity link of a document."""
    link = records.entity_links.get(id_)
    if link is None or link.document_id != document:
        return NoSuchLink()
    del records.entity_links[link.id]
    _next_revision(records, document)
    return LinkRemoved()


def _next_revision(records: WorkspaceRecords, id_: DocumentId) -> None:
    document = records.documents[id_]
    records.documents[id_] = replace(document, revision=document.revision + 1)


def move_folder(
    records: WorkspaceRecords, source: FolderPath, target: FolderPath
) -> FolderMoved | NoSuchFolder | FolderTaken | TooDeep | TooManyFolders:
    """Give a folder and everything below it another path."""
    if source not in records.folders:
        return NoSuchFolder()
    if any(is_within(document.folder, target) for document in records.documents.values()):
        return FolderTaken()
    moved: dict[FolderPath | None, FolderPath] = {
        folder: FolderPath(target + folder.removeprefix(source))
        for folder in records.folders
        if is_within(folder, source)
    }
    if max(map(depth, moved.values())) > FOLDER_LEVELS_MAX:
        return TooDeep()
    if not has_room_for_folder(records, parent(target)):
        return TooManyFolders()
    replaced = {folder for folder in records.folders if is_within(folder, target)}
    records.folders = records.folders - replaced - moved.keys() | {*moved.values(), *ancestors(target)}
    inside = [document for document in records.documents.values() if document.folder in moved]
    for document in inside:
        records.documents[document.id] = replace(document, folder=moved[document.folder])
    return FolderMoved(min(len(inside), COUNT_MAX), is_exact=max(len(inside), len(moved)) <= COUNT_MAX)


def delete_folder(records: WorkspaceRecords, folder: FolderPath) -> FolderDeleted | NoSuchFolder | FolderHasDocuments:
    """Delete a folder and everything below it, if it contains no document."""
    if folder not in records.folders:
        return NoSuchFolder()
    if any(is_within(document.folder, folder) for document in records.documents.values()):
        return FolderHasDocuments()
    records.folders = {other for other in records.folders if not is_within(other, folder)}
    return FolderDeleted()
