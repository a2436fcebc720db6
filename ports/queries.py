"""The values that a repository returns when documents are read, listed or counted."""

from dataclasses import dataclass

from domain.documents import Document
from domain.entity_links import Entity, EntityLink
from domain.ids import DocumentId
from domain.paths import FolderPath


@dataclass(frozen=True, slots=True)
class After:
    """The `size` rows of a list that follow the row of `document`, whether or not that document still exists."""

    document: DocumentId
    size: int


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """One page of the documents that match a filter, newest first.

    `more` is true if further documents follow. `total` is the number of all matches. It is exact without a filter, and
    with a filter up to `COUNT_MAX` matches. If there are more, `total` is `COUNT_MAX` and `total_is_exact` is false.
    `total_is_exact` is also false if a search covers only the newest documents and older documents exist.
    """

    documents: tuple[Document, ...]
    total: int
    total_is_exact: bool
    more: bool


@dataclass(frozen=True, slots=True)
class DocumentWithLinks:
    """A document and the entities that it is linked to, the oldest link first."""

    document: Document
    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class LinkedDocument:
    """A document, and the entity link through which it was found."""

    document: Document
    link: EntityLink


@dataclass(frozen=True, slots=True)
class FolderCount:
    """A folder, and the number of documents in it and below it."""

    folder: FolderPath
    documents: int


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag, and the number of documents that have it."""

    tag: str
    documents: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a workspace uses: the sum of its documents' stored sizes and its quota, both in bytes, and its documents.

    `reserved_bytes` is what issued uploads may take of the quota until they are recorded or expire.
    """

    used_bytes: int
    quota_bytes: int
    documents: int
    reserved_bytes: int = 0
