"""Finding in what one workspace has: by looking at all of it."""

from collections import Counter
from itertools import islice

from adapters.memory.shelf import Shelf
from domain.documents import Document
from domain.entity_links import EntityType
from domain.pages import Page, Rows
from domain.paths import FolderPath, ancestors, is_within
from domain.search import COUNT_MAX, EVERYTHING, SEARCH_WINDOW, TAG_WINDOW, DocumentFilter, search_text
from ports.queries import After, DocumentPage, FolderCount, LinkedDocument, TagCount


def find(shelf: Shelf, wanted: DocumentFilter, place: Page | After) -> DocumentPage:
    """The documents that pass the filter, newest first."""
    newest_first = (shelf.documents[id_] for id_ in sorted(shelf.documents, reverse=True))
    is_windowed = wanted.search and not wanted.is_search_indexed
    passing = [
        document
        for document in islice(newest_first, SEARCH_WINDOW if is_windowed else None)
        if _passes(document, wanted)
    ]
    match place:
        case Page():
            following = passing[place.offset :]
        case After():
            following = [document for document in passing if document.id < place.document]
    is_exact = wanted == EVERYTHING or len(passing) <= COUNT_MAX
    return DocumentPage(
        tuple(following[: place.size]),
        total=len(passing) if is_exact else COUNT_MAX,
        total_is_exact=is_exact,
        more=len(following) > place.size,
    )


def _passes(document: Document, wanted: DocumentFilter) -> bool:
    return (
        _is_in(document.folder, wanted)
        and set(wanted.tags) <= set(document.tags)
        and wanted.mime_type in (None, document.mime_type)
        and wanted.search in search_text(document.name, document.description)
        and (wanted.created_after is None or document.created_at >= wanted.created_after)
    )


def _is_in(folder: FolderPath | None, wanted: DocumentFilter) -> bool:
    if not wanted.recursive:
        return folder == wanted.folder
    return wanted.folder is None or is_within(folder, wanted.folder)


def linked(shelf: Shelf, entity_type: EntityType, entity_id: str, role: str | None, page: Page) -> Rows[LinkedDocument]:
    """The documents that belong to something, the last linked first."""
    rows = [
        LinkedDocument(shelf.documents[link.document_id], link)
        for _, link in sorted(shelf.links.items(), reverse=True)
        if (link.entity_type, link.entity_id) == (entity_type, entity_id) and role in (None, link.role)
    ]
    return Rows(tuple(rows[page.offset :][: page.size]), len(rows))


def folders(shelf: Shelf, parent: FolderPath | None, page: Page) -> Rows[FolderCount]:
    """The folders one level below `parent`, by path."""
    documents = Counter(folder for document in shelf.documents.values() for folder in ancestors(document.folder))
    above = ancestors(parent)
    rows = [
        FolderCount(folder, documents[folder]) for folder in sorted(shelf.folders) if ancestors(folder)[:-1] == above
    ]
    return Rows(tuple(rows[page.offset :][: page.size]), len(rows))


def tags(shelf: Shelf, page: Page) -> Rows[TagCount]:
    """Every tag that a document has, the most frequent first."""
    newest = sorted(shelf.documents, reverse=True)[:TAG_WINDOW]
    documents = Counter(tag for id_ in newest for tag in shelf.documents[id_].tags)
    rows = [TagCount(tag, count) for tag, count in sorted(documents.items(), key=lambda item: (-item[1], item[0]))]
    return Rows(tuple(rows[page.offset :][: page.size]), len(rows))
