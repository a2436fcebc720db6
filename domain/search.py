"""Which documents a list contains, and what of a search an index can answer."""

import re
from dataclasses import dataclass
from datetime import datetime

from domain.paths import FolderPath
from domain.text import fold

SEARCH_MAX = 255
"""The most characters a search may have."""

COUNT_MAX = 10_000
"""The most matches of a filter that are counted."""

SEARCH_WINDOW = 10_000
"""How many of the newest documents are searched when no index can answer the search."""

TAG_WINDOW = 1_000_000
"""How many of the newest documents are read to count tags."""

_INDEXED = re.compile(r"[^\W_]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFilter:
    """The conditions that a listed document must all meet.

    `folder`: in this folder or below it, or only in it if not `recursive`; `None` is the root. `tags`: all of them.
    `mime_type`: exactly this one. `search`: folded text that is part of the folded name or description.
    `created_after`: this time or later.
    """

    folder: FolderPath | None = None
    recursive: bool = True
    tags: tuple[str, ...] = ()
    mime_type: str | None = None
    search: str = ""
    created_after: datetime | None = None

    @property
    def is_search_indexed(self) -> bool:
        """Whether an index of trigrams can answer the search: it has three letters or digits in a row.

        Any other search covers only the `SEARCH_WINDOW` newest documents of the workspace.
        """
        return _INDEXED.search(self.search) is not None


EVERYTHING = DocumentFilter()


def search_text(name: str, description: str | None) -> str:
    """Return the text that `search` looks in: the folded name, a newline, the folded description.

    A name has no newline, so the first newline separates the two.
    """
    return fold(f"{name}\n{description or ''}")
