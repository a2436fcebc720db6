"""Reads of documents in Postgres. Each read is one call of a database function or view (`sql/`), whose comments explain
its plan."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from adapters.postgres import statements
from adapters.postgres.reads import Reads
from adapters.postgres.rows import to_document, to_json, to_link, to_uuid
from domain.entity_links import Entity, EntityType
from domain.ids import DocumentId, WorkspaceId
from domain.pages import Page, Rows
from domain.paths import FolderPath
from domain.search import COUNT_MAX, SEARCH_WINDOW, TAG_WINDOW, DocumentFilter, grams
from ports.queries import After, DocumentPage, DocumentWithLinks, FolderCount, LinkedDocument, TagCount, Usage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# If the clock of a process steps back, its ids continue from the latest time, so that they stay in order. The time in
# an id can then be later than `created_at` of its document, by the size of the step. Steps of up to an hour are allowed
# for.
_CLOCK_STEP = 3_600_000
_WILD = str.maketrans({char: f"\\{char}" for char in "\\%_"})


class DocumentQueries:
    """The reading methods of `PostgresDocuments`."""

    _reads: Reads

    async def get(self, workspace: WorkspaceId, document: DocumentId) -> DocumentWithLinks | None:
        row = await self._reads.look_up(statements.READ_DOCUMENTS, to_uuid(workspace), to_uuid(document))
        return None if row is None else to_document_with_links(msgspec.json.decode(row["facts"]))

    async def find(self, workspace: WorkspaceId, wanted: DocumentFilter, place: Page | After) -> DocumentPage:
        after, skip = (None, place.offset) if isinstance(place, Page) else (to_uuid(place.document), 0)
        [row] = await self._reads.list(
            statements.FIND_DOCUMENTS,
            to_uuid(workspace),
            to_json(_to_wanted(wanted)),
            after,
            skip,
            place.size,
            COUNT_MAX,
            SEARCH_WINDOW,
        )
        documents = tuple(to_document(facts) for facts in msgspec.json.decode(row["rows"]))
        return DocumentPage(documents, row["total"], row["total_is_exact"], row["more"])

    async def linked(
        self, workspace: WorkspaceId, entity_type: EntityType, entity_id: str, role: str | None, page: Page
    ) -> Rows[LinkedDocument]:
        sought = to_uuid(workspace), entity_type, entity_id, role
        [row] = await self._reads.list(statements.LINKED_DOCUMENTS, *sought, page.offset, page.size)
        found = msgspec.json.decode(row["rows"])
        rows = tuple(LinkedDocument(to_document(each["document"]), to_link(each["link"])) for each in found)
        return Rows(rows, row["total"])

    async def folders(self, workspace: WorkspaceId, parent: FolderPath | None, page: Page) -> Rows[FolderCount]:
        total, rows = await self._count(
            statements.LIST_FOLDERS, to_uuid(workspace), parent or "", page.offset, page.size
        )
        return Rows(tuple(FolderCount(FolderPath(row["folder"]), row["documents"]) for row in rows), total)

    async def tags(self, workspace: WorkspaceId, page: Page) -> Rows[TagCount]:
        total, rows = await self._count(statements.LIST_TAGS, to_uuid(workspace), TAG_WINDOW, page.offset, page.size)
        return Rows(tuple(TagCount(row["tag"], row["documents"]) for row in rows), total)

    async def usage(self, workspace: WorkspaceId) -> Usage:
        row = await self._reads.look_up(statements.READ_USAGE, to_uuid(workspace))
        if row is None:
            return Usage(0, 0, 0)
        return Usage(row["used_bytes"], row["quota_bytes"], row["documents"], row["reserved_bytes"])

    async def _count(self, sql: str, workspace: UUID, *arguments: object) -> tuple[int, list[Any]]:
        row = await self._reads.count(sql, workspace, *arguments)
        return (0, []) if row is None else (row["total"], msgspec.json.decode(row["rows"]))


def to_document_with_links(facts: dict[str, Any]) -> DocumentWithLinks:
    """Return the document and the entities of its links that the decoded JSON describes."""
    entities = (Entity(EntityType(type_), id_) for type_, id_ in facts["entities"])
    return DocumentWithLinks(to_document(facts["document"]), tuple(entities))


def _to_wanted(wanted: DocumentFilter) -> dict[str, Any]:
    """Return a filter as the JSON argument of `find_documents_v3`. Conditions that are not set are left out."""
    facts: dict[str, Any] = {}
    if wanted.folder is not None or not wanted.recursive:
        facts |= {"folder": wanted.folder, "recursive": wanted.recursive}
    if wanted.tags:
        facts["tags"] = wanted.tags
    if wanted.mime_type is not None:
        facts["mime_type"] = wanted.mime_type
    if wanted.words:
        facts["patterns"] = [f"%{word.translate(_WILD)}%" for word in wanted.words]
        facts["grams"] = [gram for word in wanted.words if not word.isascii() for gram in grams(word)]
        facts["is_windowed"] = not wanted.is_search_indexed
    if wanted.created_after is not None:
        facts |= {"created_after": wanted.created_after, "not_before": _least_id(_milliseconds(wanted.created_after))}
    if wanted.created_before is not None:
        not_after = _milliseconds(wanted.created_before) + _CLOCK_STEP
        facts |= {"created_before": wanted.created_before, "not_after": _least_id(not_after)}
    if wanted.sha256 is not None:
        facts["sha256"] = wanted.sha256
    return facts


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _least_id(milliseconds: int) -> str:
    """Return the least id that can be made at that time, given as a duration since 1970. An id begins with its
    milliseconds."""
    return f"{max(0, milliseconds) << 80:032x}"
