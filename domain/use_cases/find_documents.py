"""Finding documents: by what they are, by what they belong to, and where they could be."""

from dataclasses import dataclass

from domain.access import Caller, Permission
from domain.documents import mime_type, tags
from domain.entity_links import EntityType, entity_id, role
from domain.errors import Invalid
from domain.ids import DocumentId, is_id
from domain.members import Form, Members, RuleViolation
from domain.pages import Page, Rows, boolean, timestamp_or_date
from domain.paths import folder_path
from domain.search import DocumentFilter
from domain.text import clean_text, fold, string
from ports.documents import DocumentRepository
from ports.queries import After, DocumentPage, FolderCount, LinkedDocument, TagCount

SEARCH_MAX = 255


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of documents. `number` is `None` where a cursor was followed; `next_cursor` is, where there is no more."""

    found: DocumentPage
    number: int | None
    size: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindDocuments:
    """List documents, the newest first: all of them, or those that pass every filter that is given.

    - `folder` is that folder and everything below it, or with `recursive=false` that folder alone; `/` is the root.
    - `tag`, given several times, wants all of them. `mime_type` is the media type as it was recorded.
    - `search` is part of the name or of the description, in any letter case; no character is a wildcard. Unless it has
      three letters or digits in a row, only the 10,000 newest documents are searched.
    - `created_after` is a time, or a date, which is its midnight in UTC. What was recorded at that time is listed too.
    - `total` is exact without filters, and with them up to 10,000; beyond, it is 10,000 and `total_is_exact` is false.
    - To walk through all, follow `next_cursor` until it is `null`, with the same filters: each page costs the same,
      however many there are, and what is recorded or deleted meanwhile neither repeats nor hides another document. A
      `page` has to be counted off, and moves when documents come and go.
    """

    documents: DocumentRepository

    permission = Permission.READ_DOCUMENTS

    async def __call__(self, caller: Caller, query: Members) -> Listing:
        caller.require(self.permission)
        form = Form(query)
        wanted = DocumentFilter(
            folder=form.optional("folder", folder_path),
            recursive=form.optional("recursive", boolean) is not False,
            tags=form.optional("tag", tags) or (),
            mime_type=form.optional("mime_type", mime_type),
            search=fold(form.optional("search", _search) or ""),
            created_after=form.optional("created_after", timestamp_or_date),
        )
        page = Page.read(form)
        after = form.optional("cursor", _cursor)
        form.finish()
        # Their defaults are what is meant without them: many a generated client sends those always.
        if not wanted.recursive and "folder" not in query:
            raise Invalid({"recursive": "says how a folder is meant; name one in 'folder'"})
        if after is not None and page.number != 1:
            raise Invalid({"page": "cannot be combined with 'cursor'; send one of them"})

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
    """List the documents that belong to something of yours, the last linked first.

    `role`, when given, is that of the link, exactly.
    """

    documents: DocumentRepository

    permission = Permission.READ_DOCUMENTS

    async def __call__(
        self, caller: Caller, entity_type: EntityType, id_as_sent: str, query: Members
    ) -> tuple[Rows[LinkedDocument], Page]:
        caller.require(self.permission)
        form = Form({**query, "entity_id": id_as_sent})
        entity = form.required("entity_id", entity_id)
        wanted = form.optional("role", role)
        page = Page.read(form)
        form.finish()
        return await self.documents.linked(caller.workspace_id, entity_type, entity, wanted, page), page


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFolders:
    """List the folders in `parent`, or those at the top, each with the number of documents in it and below it.

    A folder comes into being with the first document in it, and stays when it is empty.
    """

    documents: DocumentRepository

    permission = Permission.READ_DOCUMENTS

    async def __call__(self, caller: Caller, query: Members) -> tuple[Rows[FolderCount], Page]:
        caller.require(self.permission)
        form = Form(query)
        parent = form.optional("parent", folder_path)
        page = Page.read(form)
        form.finish()
        return await self.documents.folders(caller.workspace_id, parent, page), page


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTags:
    """List the tags in use, each with the number of documents that have it: the most frequent first.

    Counted are the tags of the newest million documents.
    """

    documents: DocumentRepository

    permission = Permission.READ_DOCUMENTS

    async def __call__(self, caller: Caller, query: Members) -> tuple[Rows[TagCount], Page]:
        caller.require(self.permission)
        form = Form(query)
        page = Page.read(form)
        form.finish()
        return await self.documents.tags(caller.workspace_id, page), page


def _search(value: object) -> str:
    return clean_text(value, least=0, most=SEARCH_MAX)


def _cursor(value: object) -> DocumentId:
    text = f"doc_{string(value)}"
    if not is_id("doc_", text):
        raise RuleViolation("must be the next_cursor of a list")
    return DocumentId(text)
