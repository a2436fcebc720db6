"""List documents, the documents linked to an entity, folders and tags."""

from dataclasses import dataclass

from domain.access import Caller, Permission
from domain.documents import mime_type, sha256, tags
from domain.entity_links import EntityType, entity_id, role
from domain.ids import DocumentId, is_id
from domain.members import Form, Members, RuleViolation
from domain.pages import Page, Rows, boolean, timestamp_or_date
from domain.paths import folder_path
from domain.search import DocumentFilter, search_words
from domain.text import string
from ports.documents import DocumentRepository
from ports.queries import After, DocumentPage, FolderCount, LinkedDocument, TagCount


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of documents. `number` is `None` after a cursor. `next_cursor` is `None` on the last page."""

    found: DocumentPage
    number: int | None
    size: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindDocuments:
    """List documents, newest first: all documents, or those that pass every given filter.

    - `folder` selects that folder and everything below it; with `recursive=false`, only that folder. `/` is the root.
    - `tag` can be repeated to require several tags. `mime_type` is the media type as recorded.
    - `search` are words, all of which the name or the description contains, in any order; a part in double quotes is
      one word. Letter case, width, and diacritics on Latin, Greek and Cyrillic letters do not matter. A search for
      only one or two ASCII letters covers the 10,000 newest documents; if there are more, `total_is_exact` is false.
    - `created_after` and `created_before` are times, or dates (their midnight in UTC). A document recorded at exactly
      that time is found by `created_after`, and not by `created_before`.
    - `sha256` finds documents with the same bytes, where the object store reports the SHA-256 of what it stores.
    - `total` is exact without filters, and up to 10,000 with them; above, it is 10,000 and `total_is_exact` is false.
    - To read all documents, follow `next_cursor` until it is `null`, with the same filters. Every page then costs the
      same, and a document that is recorded or deleted meanwhile neither repeats nor hides another one. With `page`, the
      server counts off all earlier rows, and rows shift between pages when documents are recorded or deleted.
    """

    documents: DocumentRepository

    permission = Permission.READ_DOCUMENTS

    async def __call__(self, caller: Caller, query: Members) -> Listing:
        caller.require(self.permission)
        form = Form(query, "parameter")
        wanted = DocumentFilter(
            folder=form.optional("folder", folder_path),
            # The default value is accepted without a folder too: many generated clients always send it.
            recursive=form.optional("recursive", boolean if "folder" in query else _only_true) is not False,
            tags=form.optional("tag", tags) or (),
            mime_type=form.optional("mime_type", _mime_type),
            words=form.optional("search", search_words) or (),
            created_after=form.optional("created_after", timestamp_or_date),
            created_before=form.optional("created_before", timestamp_or_date),
            sha256=form.optional("sha256", sha256),
        )
        after = form.optional("cursor", _cursor)
        page = Page.read(form)
        if query.get("cursor") is not None and page.number != 1:
            form.refuse("page", "cannot be combined with 'cursor'; send one of them")
        form.finish()

        place = page if after is None else After(after, page.size)
        found = await self.documents.find(caller.workspace_id, wanted, place)
        return Listing(
            found,
            number=page.number if after is None else None,
            size=page.size,
            next_cursor=found.documents[-1].id.removeprefix("doc_") if found.more else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FindLinkedDocuments:
    """List the documents that are linked to an entity, the newest link first.

    `role` selects the entity links with exactly that role.
    """

    documents: DocumentRepository

    permission = Permission.READ_DOCUMENTS

    async def __call__(
        self, caller: Caller, entity_type: EntityType, entity: str, query: Members
    ) -> tuple[Rows[LinkedDocument], Page]:
        caller.require(self.permission)
        form = Form(query, "parameter")
        wanted = form.optional("role", role)
        page = Page.read(form)
        id_ = form.apply("entity_id", entity_id, entity)
        form.finish()
        return await self.documents.linked(caller.workspace_id, entity_type, id_, wanted, page), page


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFolders:
    """List the folders directly in `parent`, or in the root, each with the number of documents in it and below it.

    A folder is created with its first document. When it becomes empty, it stays for some hours, or until it is deleted.
    """

    documents: DocumentRepository

    permission = Permission.READ_DOCUMENTS

    async def __call__(self, caller: Caller, query: Members) -> tuple[Rows[FolderCount], Page]:
        caller.require(self.permission)
        form = Form(query, "parameter")
        parent = form.optional("parent", folder_path)
        page = Page.read(form)
        form.finish()
        return await self.documents.folders(caller.workspace_id, parent, page), page


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTags:
    """List the tags in use with the number of documents that have each, the most frequent first.

    Only the tags of the newest million documents are counted.
    """

    documents: DocumentRepository

    permission = Permission.READ_DOCUMENTS

    async def __call__(self, caller: Caller, query: Members) -> tuple[Rows[TagCount], Page]:
        caller.require(self.permission)
        form = Form(query, "parameter")
        page = Page.read(form)
        form.finish()
        return await self.documents.tags(caller.workspace_id, page), page


def _mime_type(value: object) -> str:
    # If a client does not encode the plus of `image/svg+xml` in a query, it arrives as a space.
    essence, semicolon, parameters = string(value).partition(";")
    return mime_type(essence.strip().replace(" ", "+") + semicolon + parameters)


def _only_true(value: object) -> bool:
    if not boolean(value):
        raise RuleViolation("applies to a folder; name one in 'folder'")
    return True


def _cursor(value: object) -> DocumentId:
    text = f"doc_{string(value)}"
    if not is_id("doc_", text):
        raise RuleViolation("must be the next_cursor of a list")
    return DocumentId(text)
