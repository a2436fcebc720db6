"""Text that people write: visible and refused characters. test_search.py tests which texts are equal in a search."""

import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import given

from domain.access import label
from domain.documents import description, name, tags
from domain.entity_links import entity_id, role
from domain.members import Rule, RuleViolation
from domain.paths import folder_path, nearest_folder_path
from domain.search import SEARCH_MAX
from domain.text import MARKS_MAX, line, nearest_label, string
from domain.text import label as label_rule
from tests.domain.anything import TEXTS, ask
from tests.domain.world import NEVER_CALLED


def one_tag(value: object) -> str:
    return tags([value])[0]


def folder_level(value: object) -> str:
    return (folder_path("/" + string(value)) or "/")[1:]


@dataclass(frozen=True)
class TextRule:
    """A rule for text of at most `most` characters. `label` is the rule for tags and folder levels."""

    rule: Rule[str]
    most: int
    is_label: bool = False


LINES = TextRule(description, 4096)
ONE_LINE = {
    "name": TextRule(name, 255),
    "API key": TextRule(label, 120),
    "role": TextRule(role, 64),
    "search": TextRule(lambda value: line(value, least=0, most=SEARCH_MAX), SEARCH_MAX),
}
LABELS = {"tag": TextRule(one_tag, 64, is_label=True), "folder level": TextRule(folder_level, 255, is_label=True)}
NAMED = {**ONE_LINE, **LABELS}
TEXT_RULES = {**NAMED, "description": LINES}
on_every_text_rule = pytest.mark.parametrize("text", TEXT_RULES.values(), ids=TEXT_RULES)


@on_every_text_rule
def test_the_characters_of_a_text_are_counted_after_normalisation_to_nfc(text: TextRule) -> None:
    # An emoji is one character, although it has four bytes. An accent composes; U+0958 decomposes to two characters.
    for sent, kept in (("x", "x"), ("\N{GRINNING FACE}", "\N{GRINNING FACE}"), ("e\u0301", "\xe9")):
        assert text.rule(sent * text.most) == kept * text.most
    # Three letters of a Hangul syllable are the most that compose to one character.
    assert text.rule("\u1100\u1161\u11a8" * text.most) == "\uac01" * text.most
    for sent in ("x" * (text.most + 1), "\u0958" * (text.most // 2 + 1), "e\u0301" * (text.most + 1)):
        with pytest.raises(RuleViolation, match=f"{text.most} characters"):
            text.rule(sent)


@on_every_text_rule
def test_the_length_is_checked_before_anything_is_normalised(text: TextRule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.text.unicodedata", NEVER_CALLED)
    with pytest.raises(RuleViolation, match=f"{text.most} characters"):
        text.rule("\u0f73" * (4 * text.most + 1))


CONTROL = [*map(chr, (*range(0x20), *range(0x7F, 0xA0))), "\ud800", "\udbff", "\udc00", "\udfff"]
LINE_ENDS = ["\u2028", "\u2029"]
BIDIRECTIONAL = list("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
INVISIBLE = list(
    "\u200b\u200e\u200f\u061c\u2060\u2063\ufeff\xad\u034f\u115f\u1160\u17b4\u180e\u3164\uffa0\ufff9\U000e0041"
)
ALIKE = list("\ue000\uf8ff\U000f0000\U0010fffd")
"""Characters of private use, which look alike in most fonts."""


@on_every_text_rule
@pytest.mark.parametrize("char", CONTROL + LINE_ENDS + BIDIRECTIONAL, ids=ascii)
def test_control_characters_surrogates_and_bidirectional_overrides_are_refused(text: TextRule, char: str) -> None:
    if text is LINES and char in ["\t", "\n", "\r", *LINE_ENDS]:
        return
    with pytest.raises(RuleViolation, match="control characters"):
        text.rule(f"a{char}b")


@pytest.mark.parametrize("char", INVISIBLE + ALIKE, ids=ascii)
def test_characters_that_cannot_be_told_apart_are_refused_in_labels_and_kept_in_other_text(char: str) -> None:
    for text in TEXT_RULES.values():
        if text.is_label:
            with pytest.raises(RuleViolation, match="invisible characters"):
                text.rule(f"a{char}b")
        else:
            assert text.rule(f"a{char}b") == f"a{char}b"


WRITTEN = {
    "Persian with a non-joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Hindi with a joiner": "\u0915\u094d\u200d\u0937",
    "Hebrew with points": "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
    "Mongolian with a variation selector": "\u182d\u180b",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "an ideograph with a variation selector": "\u845b\U000e0100",
    "the flag of Wales": "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
    "a flag of two letters": "\U0001f1e9\U0001f1ea",
    # Clients can show characters that Python 3.11 does not know yet, such as this face of Unicode 15.
    "a shaking face": "\U0001fae8",
    "only a mark": "\u0301",
}


@pytest.mark.parametrize("sent", WRITTEN.values(), ids=WRITTEN)
def test_joiners_variation_selectors_marks_and_flags_are_text_everywhere(sent: str) -> None:
    assert {text.rule(sent) for text in TEXT_RULES.values()} == {sent}


@pytest.mark.parametrize("sent", ["\U000e0067", "\U0001f3f4\U000e0067", "\U0001f3f4a\U000e0067\U000e007f"], ids=ascii)
def test_the_invisible_letters_of_a_flag_are_refused_in_a_label_outside_a_flag(sent: str) -> None:
    for text in LABELS.values():
        with pytest.raises(RuleViolation, match="invisible"):
            text.rule(sent)


BLANK = {
    "a space": " ",
    "spaces of every kind": " \xa0\u1680\u2000\u2003\u200a\u202f\u205f\u3000",
    "the Hangul filler": "\u3164",
    "Hangul fillers of syllables": "\u115f\u1160",
    "the Braille blank": "\u2800",
    "a joiner": "\u200d",
    "a variation selector": "\ufe0f",
    "a zero-width space": "\u200b",
    "a line separator": "\u2028",
    "spaces around an invisible character": " \u200b ",
}


@pytest.mark.parametrize("blank", BLANK.values(), ids=BLANK)
def test_invisible_text_is_refused_except_as_a_description(blank: str) -> None:
    for rule in (*(text.rule for text in NAMED.values()), entity_id):
        with pytest.raises(RuleViolation):
            rule(blank)
    assert description(blank) == unicodedata.normalize("NFC", blank)


def test_empty_text_is_refused_except_as_a_description_or_search() -> None:
    assert LINES.rule("") == ONE_LINE["search"].rule("") == ""
    for rule in (name, label, role, one_tag, entity_id):
        with pytest.raises(RuleViolation):
            rule("")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        *(("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("\r\r\n\n", "\n\n\n"), ("a\n\rb", "a\n\nb"), ("a\tb\n", "a\tb\n")),
        ("\r\n" * 4096, "\n" * 4096),
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_every_line_end_of_a_description_is_lf_before_its_characters_are_counted(sent: str, kept: str) -> None:
    assert description(sent) == kept


def test_spaces_at_the_ends_of_a_line_are_kept() -> None:
    assert {text.rule(" a\xa0\u3000b ") for text in ONE_LINE.values()} == {" a\xa0\u3000b "}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        *((" a ", "a"), ("\t\r\na\x0b\x0c\x85", "a"), ("\u3000\xa0a\u2003\u2028", "a"), ("\xa0\u0301", "\u0301")),
        *(("a\xa0b", "a b"), ("a\u3000b", "a b"), ("a\u2003\u202fb", "a  b")),
    ],
    ids=ascii,
)
def test_a_label_is_trimmed_and_every_space_in_it_becomes_u_0020(sent: str, kept: str) -> None:
    assert {text.rule(sent) for text in LABELS.values()} == {kept}
    for text in LABELS.values():
        # A label is trimmed before its characters are counted.
        assert text.rule(" " * 10_000 + "x" * text.most) == "x" * text.most
        assert text.rule("\u3000" + "\xe9" * text.most + "\xa0") == "\xe9" * text.most


@pytest.mark.parametrize(
    ("former", "nearest"),
    [
        *(("a", "a"), (" a\u3000", "a"), ("a\xa0b", "a b"), ("a\u200bb", "ab"), ("a\u2028b", "a b")),
        ("e\xad\u0301", "\xe9"),
        *(("\u0645\u06cc\u200c", "\u0645\u06cc\u200c"), ("\ue000", "unnamed"), ("\u2800 \u200d", "unnamed")),
        (WRITTEN["the flag of Wales"] + "\U000e0067", WRITTEN["the flag of Wales"]),
        ("x" + "\u0338" * 99, "x" + "\u0338" * 30),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_a_former_label_is_rewritten_to_its_visible_characters(former: str, nearest: str) -> None:
    assert nearest_label(former, most=255) == nearest
    assert nearest_folder_path(f"/{former}/ ./a") == f"/{nearest}/unnamed/a"


@given(former=TEXTS.filter(lambda text: len(text) <= 255))
def test_the_nearest_label_of_any_text_is_a_label(former: str) -> None:
    nearest = nearest_label(former, most=255)
    assert nearest_label(nearest, most=255) == nearest == label_rule(nearest, most=255)


@on_every_text_rule
@pytest.mark.parametrize(
    ("base", "mark", "marks"),
    [
        *(("x", "\u0301", 1), ("x", "\u0338", 1), ("\u304b", "\u3099", 1), ("\xe9", "\u0301", 1), ("e", "\u0301", 1)),
        # These count as one character, and decompose to two marks; a half-width mark counts as a letter.
        *(("x", "\u0344", 2), ("x", "\u0f73", 2), ("\uff76", "\uff9e", 1)),
    ],
    ids=ascii,
)
def test_at_most_30_combining_marks_follow_each_other(text: TextRule, base: str, mark: str, marks: int) -> None:
    # The accent of the base letter is one of these marks.
    most = (MARKS_MAX - len(unicodedata.normalize("NFD", base)) + 1) // marks
    assert text.rule(base + mark * most) == unicodedata.normalize("NFC", base + mark * most)
    with pytest.raises(RuleViolation, match="more than 30 combining marks in a row"):
        text.rule(base + mark * (most + 1))


@on_every_text_rule
@given(sent=TEXTS)
def test_accepted_text_is_in_nfc_and_accepted_again_unchanged(text: TextRule, sent: str) -> None:
    kept = ask(text.rule, sent)
    if isinstance(kept, RuleViolation):
        return
    assert unicodedata.is_normalized("NFC", kept)
    assert len(kept) <= text.most * (20 if text.rule is folder_level else 1)
    assert not set(kept) & {"\0", "\r", "\x7f", "\ud800", *BIDIRECTIONAL}
    assert text.rule(kept) == kept
