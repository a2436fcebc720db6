"""What is looked for among documents, and what is found."""

import re
from dataclasses import dataclass
from datetime import datetime

from domain.documents import Document
from domain.ids import DocumentId
from domain.links import Link
from domain.paths import FolderPath

COUNT_MAX = 10_000
"""How far matches of a filter are counted."""

SEARCH_WINDOW = 10_000
"""How many of the newest documents are looked into for what no index finds."""

TAG_WINDOW = 1_000_000
"""Of how many of the newest documents tags are counted."""

_INDEXED = re.compile(r"[^\W_]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFilter:
    """Which documents are wanted: those to which all of this applies.

    In `folder` or below it, where not `recursive` in it alone; `None` is the root, so everything is below it. With all
    of the `tags`. Of this very `mime_type`. With `search`, which is folded, in the name or the description, folded. Not
    older than `created_after`.
    """

    folder: FolderPath | None = None
    recursive: bool = True
    tags: tuple[str, ...] = ()
    mime_type: str | None = None
    search: str = ""
    created_after: datetime | None = None

    @property
    def is_search_indexed(self) -> bool:
        """Whether an index finds what is searched: three letters or digits in a row.

        Anything else is searched for in the `SEARCH_WINDOW` newest documents of the workspace alone.
        """
        return _INDEXED.search(self.search) is not None


EVERYTHING = DocumentFilter()


@dataclass(frozen=True, slots=True)
class After:
    """`size` rows of a list, after the one of this document, be it still there or not."""

    document: DocumentId
    size: int


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some of the documents that are wanted, newest first, and whether there are `more` after them.

    `total` counts all that are wanted: exactly, unless there is a filter and more than `COUNT_MAX` pass it. It is
    `COUNT_MAX` then.
    """

    documents: tuple[Document, ...]
    total: int
    total_is_exact: bool
    more: bool


@dataclass(frozen=True, slots=True)
class WithLinks:
    """A document and its links, oldest first."""

    document: Document
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class LinkedDocument:
    """A document as one of those that belong to something."""

    document: Document
    link: Link


@dataclass(frozen=True, slots=True)
class FolderCount:
    """A folder, and how many documents are in it and below it."""

    folder: FolderPath
    documents: int


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag, and how many documents have it."""

    tag: str
    documents: int
