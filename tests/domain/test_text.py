"""Text that people write: its length in NFC, the characters that it may contain, and blank text."""

import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import given

from domain.access import label
from domain.documents import description, name, tags
from domain.entity_links import role
from domain.members import Rule, RuleViolation
from domain.paths import folder_path
from domain.search import DocumentFilter, search_text
from domain.text import fold, string
from tests.domain.anything import TEXTS, ask


@dataclass(frozen=True)
class TextRule:
    """A rule for text of 1 to `most` characters. `kept` are control characters that it accepts."""

    rule: Rule[object]
    most: int
    kept: str = ""
    refuses_blank: bool = True
    hidden: tuple[str, ...] = ("Cc", "Cs")


def one_tag(value: object) -> str:
    return tags([value])[0]


def folder_level(value: object) -> str:
    return (folder_path("/" + string(value)) or "/")[1:]


TEXT_RULES = {
    "name": TextRule(name, 255),
    "label": TextRule(label, 120),
    "role": TextRule(role, 64),
    # A tag is trimmed before its characters are counted; test_rules.py has blank tags.
    "tag": TextRule(one_tag, 64, refuses_blank=False),
    "description": TextRule(description, 4096, kept="\n\t", refuses_blank=False),
    "folder level": TextRule(folder_level, 255, refuses_blank=False, hidden=("Cc", "Cf", "Co", "Cs")),
}
on_every_text_rule = pytest.mark.parametrize("text", TEXT_RULES.values(), ids=TEXT_RULES)


@on_every_text_rule
def test_the_characters_of_a_text_are_counted_after_normalisation_to_nfc(text: TextRule) -> None:
    # An emoji is one character, although it has four bytes. An accent composes; U+0958 decomposes to two characters.
    for sent, kept in (("x", "x"), ("\N{GRINNING FACE}", "\N{GRINNING FACE}"), ("e\u0301", "\xe9")):
        assert text.rule(sent * text.most) == kept * text.most
    for sent in ("x" * (text.most + 1), "\u0958" * (text.most // 2 + 1)):
        with pytest.raises(RuleViolation, match=f"{text.most} characters"):
            text.rule(sent)


HIDDEN = [*range(0x20), *range(0x7F, 0xA0), 0xD800, 0xDBFF, 0xDC00, 0xDFFF]
INVISIBLE = [0xAD, 0x200B, 0x202E, 0xFEFF, 0xE0041, 0xE000, 0x10FFFD]


@on_every_text_rule
def test_control_characters_and_in_folders_invisible_ones_are_refused(text: TextRule) -> None:
    for char in map(chr, HIDDEN + INVISIBLE):
        sent = f"a{char}b"
        if unicodedata.category(char) in text.hidden and char not in text.kept:
            with pytest.raises(RuleViolation, match="control characters or invisible characters"):
                text.rule(sent)
        else:
            assert text.rule(sent) == sent


@pytest.mark.parametrize("text", [text for text in TEXT_RULES.values() if text.refuses_blank])
def test_text_without_a_visible_character_is_refused(text: TextRule) -> None:
    for blank in ("", " ", "\t", "\n", "\xa0", "\u2003", "\u2028", "\u3000", " \t\xa0"):
        with pytest.raises(RuleViolation):
            text.rule(blank)
    for unseen in ("\u200b", "\u2060", "\ufeff", "\xad", "\u200e\u202e", " \u200b "):
        with pytest.raises(RuleViolation, match="blank"):
            text.rule(unseen)


@on_every_text_rule
@given(sent=TEXTS)
def test_accepted_text_obeys_every_rule(text: TextRule, sent: str) -> None:
    kept = ask(text.rule, sent)
    if isinstance(kept, str) and "/" not in kept:
        assert unicodedata.is_normalized("NFC", kept)
        assert len(kept) <= text.most
        assert not {unicodedata.category(char) for char in kept if char not in text.kept} & set(text.hidden)


@pytest.mark.parametrize(
    ("search", "name", "description"),
    [
        *(("nda", "Acme-NDA-2026.pdf", None), ("NDA", "a", "the nda of 2026"), ("ba\u0308r", "B\xc4R", None)),
        *(("STRASSE", "Stra\xdfe", None), ("stra\xdfe", "STRASSE", None), ("\u0130STANBUL", "\u0130stanbul", None)),
        ("\u03c3", "a", "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2"),
        *(("\u03a3", "\u03bb\u03cc\u03b3\u03bf\u03c2", None), ("\ufb01", "FILE", None)),
        *(("\u5951\u7d04", "\u5951\u7d04\u66f8.pdf", None), (" ", "a b", None)),
    ],
    ids=ascii,
)
def test_a_search_matches_any_part_of_name_or_description_in_any_letter_case(
    search: str, name: str, description: str | None
) -> None:
    assert fold(search) in search_text(name, description)


@pytest.mark.parametrize(
    ("search", "name"),
    [("e", "\xe9"), ("a", "\xe4"), ("istanbul", "\u0130stanbul"), ("i", "\u0131"), ("none", "a"), ("ab", "a")],
    ids=ascii,
)
def test_a_search_matches_neither_other_letters_nor_across_name_and_description(search: str, name: str) -> None:
    assert fold(search) not in search_text(name, "b")


@pytest.mark.parametrize(
    ("searches", "indexed"),
    [
        (("abc", "a-bcd", "...abc", "123", "\u5951\u7d04\u66f8", "12\xe9", "\xdfa"), True),
        (("a", "ab", "a-b", "a_b", "ab cd", "%%%", "___", "a.b", "a-b-c", ""), False),
    ],
)
def test_a_search_is_indexed_if_it_has_three_letters_or_digits_in_a_row(
    searches: tuple[str, ...], indexed: bool
) -> None:
    assert {DocumentFilter(search=fold(search)).is_search_indexed for search in searches} == {indexed}
