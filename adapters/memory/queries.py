"""The queries of one workspace, each of which reads all records. They define what the SQL queries must return."""

from collections import Counter
from itertools import islice

from adapters.memory.records import WorkspaceRecords
from domain.documents import Document
from domain.entity_links import EntityType
from domain.pages import Page, Rows
from domain.paths import FolderPath, ancestors, is_within
from domain.search import COUNT_MAX, EVERYTHING, SEARCH_WINDOW, TAG_WINDOW, DocumentFilter, search_text
from ports.queries import After, DocumentPage, FolderCount, LinkedDocument, TagCount


def find(records: WorkspaceRecords, filter_: DocumentFilter, place: Page | After) -> DocumentPage:
    """Return the documents that pass the filter, newest first."""
    newest_first = (records.documents[id_] for id_ in sorted(records.documents, reverse=True))
    is_windowed = bool(filter_.words) and not filter_.is_search_indexed
    passing = [
        document
        for document in islice(newest_first, SEARCH_WINDOW if is_windowed else None)
        if _passes(document, filter_)
    ]
    match place:
        case Page():
            following = passing[place.offset :]
        case After():
            following = [document for document in passing if document.id < place.document]
    is_counted = filter_ == EVERYTHING or len(passing) <= COUNT_MAX
    return DocumentPage(
        tuple(following[: place.size]),
        total=len(passing) if is_counted else COUNT_MAX,
        total_is_exact=is_counted and not (is_windowed and len(records.documents) > SEARCH_WINDOW),
        more=len(following) > place.size,
    )


def _passes(document: Document, filter_: DocumentFilter) -> bool:
    return (
        _is_in(document.folder, filter_)
        and set(filter_.tags) <= set(document.tags)
        and filter_.mime_type in (None, document.mime_type)
        and (not filter_.words or _contains(search_text(document.name, document.description), filter_.words))
        and (filter_.created_after is None or document.created_at >= filter_.created_after)
        and (filter_.created_before is None or document.created_at < filter_.created_before)
        and filter_.sha256 in (None, document.stored.sha256)
    )


def _contains(text: str, words: tuple[str, ...]) -> bool:
    return all(word in text for word in words)


def _is_in(folder: FolderPath | None, filter_: DocumentFilter) -> bool:
    if not filter_.recursive:
        return folder == filter_.folder
    return filter_.folder is None or is_within(folder, filter_.folder)


def linked(
    records: WorkspaceRecords, entity_type: EntityType, entity_id: str, role: str | None, page: Page
) -> Rows[LinkedDocument]:
    """Return the documents that are linked to an entity, the last linked first."""
    rows = [
        LinkedDocument(records.documents[link.document_id], link)
        for _, link in sorted(records.entity_links.items(), reverse=True)
        if (link.entity_type, link.entity_id) == (entity_type, entity_id) and role in (None, link.role)
    ]
    return Rows(tuple(rows[page.offset :][: page.size]), len(rows))


def folders(records: WorkspaceRecords, parent: FolderPath | None, page: Page) -> Rows[FolderCount]:
    """Return the folders one level below `parent`, ordered by path."""
    documents = Counter(folder for document in records.documents.values() for folder in ancestors(document.folder))
    above = ancestors(parent)
    rows = [
        FolderCount(folder, documents[folder]) for folder in sorted(records.folders) if ancestors(folder)[:-1] == above
    ]
    return Rows(tuple(rows[page.offset :][: page.size]), len(rows))


def tags(records: WorkspaceRecords, page: Page) -> Rows[TagCount]:
    """Return the tags of the newest `TAG_WINDOW` documents, the most frequent first."""
    newest = sorted(records.documents, reverse=True)[:TAG_WINDOW]
    documents = Counter(tag for id_ in newest for tag in records.documents[id_].tags)
    rows = [TagCount(tag, count) for tag, count in sorted(documents.items(), key=lambda item: (-item[1], item[0]))]
    return Rows(tuple(rows[page.offset :][: page.size]), len(rows))
