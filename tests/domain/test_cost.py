"""No body of 64 KiB takes a rule much longer than an ordinary body does."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from domain.documents import Changes, Draft, UploadDraft
from domain.downloads import safe_file_name
from domain.entity_links import EntityLinkDraft
from domain.errors import Invalid
from domain.members import Members, RuleViolation
from domain.search import search_text, search_words
from domain.text import fold
from tests.domain.samples import OWN
from tests.domain.test_rules import RULES

BODY_BYTES = 64 * 1024
RATIO = 25
"""The largest permitted ratio of the time for the worst body to the time for an ordinary one. Without limits, the ratio
is 1,000."""

PIECES = {
    "ASCII": "a",
    "accented letters": "\u00e9",
    "marks of one class": "\u0301",
    "marks that change places": "\u0301\u0327",
    "a character of two marks": "\u0f73",
    "a letter with 30 marks": "a" + "\u0301\u0327" * 15,
    "letters that compose": "\u1100\u1161\u11a8",
    "a ligature of 18 letters": "\ufdfa",
    "joiners": "\u200d",
    "flags": "\U0001f3f4",
    "a flag without end": "\U0001f3f4" + "\U000e0061" * 20,
    "blanks": "\xa0",
    "quotes": '"a" ',
    "separators": "/a",
    "carriage returns": "\r",
    "parameters": "a/b;c=",
}


NAMES = ["name", "mime_type", "storage_path", "sha256", "description", "folder", "entity_type", "entity_id", "role"]


def draft(text: str) -> Members:
    return {**dict.fromkeys(NAMES, text), "tags": [text]}


READERS: dict[str, Callable[[str], object]] = {
    **RULES,
    "tags of one character": lambda text: RULES["tags"](list(text)),
    "search": search_words,
    "members named by the client": lambda text: Draft.read(
        {text[at : at + 20]: 1 for at in range(0, len(text), 20)}, OWN
    ),
    "create": lambda text: Draft.read(draft(text), OWN),
    "patch": lambda text: Changes.read(draft(text)),
    "upload": lambda text: UploadDraft.read(draft(text)),
    "link": lambda text: EntityLinkDraft.read(draft(text)),
    # The cost of an accepted text in later steps.
    "searched text": lambda text: search_text(text[:255], text[:4096]),
    "file name": lambda text: safe_file_name(text[:255]),
    "searched words": lambda text: fold(text[:4096]),
}


def seconds(read: Callable[[str], object], text: str) -> float:
    """Return the least CPU time of three readings."""
    took = []
    for _ in range(3):
        began = time.process_time()
        with suppress(RuleViolation, Invalid):
            read(text)
        took.append(time.process_time() - began)
    return min(took)


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_no_rule_takes_long_for_a_text_of_64_kib(piece: str) -> None:
    ordinary = seconds(READERS["searched text"], "Prüfung der Verträge für das Büro in Zürich. " * 100)
    text = piece * (BODY_BYTES // len(piece.encode()))
    slow = {name: took for name, read in READERS.items() if (took := seconds(read, text)) > RATIO * ordinary}
    assert slow == {}, f"an ordinary text takes {ordinary}"
