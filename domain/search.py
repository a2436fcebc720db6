"""The filter of a list of documents, and the part of a search that an index can answer."""

import re
from dataclasses import dataclass
from datetime import datetime

from domain.members import RuleViolation
from domain.paths import FolderPath
from domain.text import as_typed, fold, line

SEARCH_MAX = 255
"""The most characters a search may have."""

COUNT_MAX = 10_000
"""The most matches of a filter that are counted."""

SEARCH_WINDOW = 10_000
"""The number of newest documents that are searched if no index can answer the search."""

TAG_WINDOW = 1_000_000
"""The number of newest documents that are read to count tags."""

GRAMS_MAX = 8
"""The number of pairs of a word that are looked up in the index. More pairs do not narrow the result."""

_TRIGRAM = re.compile(r"[^\W_]{3}|[a-z0-9]{2}[ -/:-@\[-`{-~]|[ -/:-@\[-`{-~][a-z0-9]{2}")
# A quote between two letters or digits begins and ends no phrase: Hebrew acronyms contain one.
_WORDS = re.compile(r'"((?:[^"]|\b"\b)*)"?|((?:[^\s"]|\b"\b)+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFilter:
    """The conditions of a list.

    A listed document meets all of them. `folder`: the document is in this folder or below it, or only in it if not
    `recursive`; `None` is the root. `tags`: it has all of them. `mime_type`: it has exactly this media type. `words`:
    each of these folded texts is part of its folded name or description. `created_after`: it was recorded at this time
    or later. `created_before`: it was recorded earlier. `sha256`: its bytes have this SHA-256, in lower-case hex.
    """

    folder: FolderPath | None = None
    recursive: bool = True
    tags: tuple[str, ...] = ()
    mime_type: str | None = None
    words: tuple[str, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    sha256: str | None = None

    @property
    def is_search_indexed(self) -> bool:
        """Whether an index can answer the search: it finds the documents that contain one of the words.

        Any other search covers only the `SEARCH_WINDOW` newest documents of the workspace.
        """
        return any(has_trigram(word) or not word.isascii() for word in self.words)


EVERYTHING = DocumentFilter()


def search_text(name: str, description: str | None) -> str:
    """Return the text that a search compares with its words: the folded name, a newline and the folded description.

    A folded text contains no newline, so no word matches across both.
    """
    return f"{fold(name)}\n{fold(description or '')}"


def search_words(value: object) -> tuple[str, ...]:
    """Return the words of a search, folded. A part in double quotes is one word."""
    # A telephone writes other quotation marks around a phrase than a keyboard.
    text = as_typed(line(value, least=0, most=SEARCH_MAX))
    words = dict.fromkeys(fold(quoted or plain).strip() for quoted, plain in _WORDS.findall(text))
    words.pop("", None)
    if text and not words:
        raise RuleViolation("must contain something to search for")
    return tuple(words)


def has_trigram(word: str) -> bool:
    """Return whether an index of trigrams (pg_trgm) can find the word.

    The index can find a word with three letters or digits in a row, or with two beside another character, such as
    `id-17`.
    """
    return _TRIGRAM.search(word) is not None


def grams(word: str) -> tuple[str, ...]:
    """Return the entries of a word in the index of grams: its pairs of characters, or its only letter.

    A pair has at least one character that is not ASCII, and no white space.
    """
    pairs = (word[i : i + 2] for i in range(len(word) - 1))
    found = [pair for pair in dict.fromkeys(pairs) if not pair.isascii() and " " not in pair]
    return tuple(found[:GRAMS_MAX] or (char for char in word if not char.isascii()))[:GRAMS_MAX]
