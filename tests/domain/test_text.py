"""The rules of text that people write."""

import unicodedata
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.members import RuleViolation
from domain.text import clean_text, not_blank
from tests.domain.anything import JSON, UNICODE, ask


@given(JSON, st.integers(0, 3), st.integers(0, 300))
def test_accepted_text_is_in_nfc_and_within_its_bounds(value: object, least: int, most: int) -> None:
    text = ask(partial(clean_text, least=least, most=most), value)
    if isinstance(text, RuleViolation):
        return
    assert unicodedata.is_normalized("NFC", text)
    assert least <= len(text) <= most
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in text)
    text.encode()


@given(UNICODE)
def test_accepted_text_is_a_fixed_point(sent: str) -> None:
    rule = partial(clean_text, most=10_000)
    text = ask(rule, sent)
    if not isinstance(text, RuleViolation):
        assert rule(text) == text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param("e\u0301", "\xe9", id="an accent composes"),
        pytest.param("\u0958", "\u0915\u093c", id="a composition exclusion decomposes"),
        pytest.param("\u1100\u1161\u11a8", "\uac01", id="jamo become a syllable"),
        pytest.param("\u212b", "\xc5", id="the Angstrom sign is an A with a ring"),
        pytest.param("\ufb01", "\ufb01", id="a ligature stays: NFC is not NFKC"),
        pytest.param(" a ", " a ", id="blanks around it stay"),
    ],
)
def test_text_is_kept_in_nfc(sent: str, kept: str) -> None:
    assert clean_text(sent, most=10) == kept


def test_characters_are_counted_after_normalisation() -> None:
    assert len(clean_text("e\u0301" * 10, most=10)) == 10
    with pytest.raises(RuleViolation, match="1 to 10 characters"):
        clean_text("\u0958" * 6, most=10)


def test_an_emoji_is_one_character() -> None:
    assert clean_text("\N{GRINNING FACE}" * 10, most=10) == "\N{GRINNING FACE}" * 10


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0)], ids=lambda code: f"U+{code:04X}")
def test_every_control_character_is_refused_unless_kept(code: int) -> None:
    with pytest.raises(RuleViolation, match="control characters"):
        clean_text(f"a{chr(code)}b", most=10)
    assert clean_text(f"a{chr(code)}b", most=10, kept=chr(code)) == f"a{chr(code)}b"


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex)
def test_a_lone_surrogate_is_refused(code: int) -> None:
    with pytest.raises(RuleViolation):
        clean_text(f"a{chr(code)}", most=10)


@pytest.mark.parametrize("blank", ["", " ", "\t", "\n", "\xa0", "\u2003", "\u2028", "\u3000", " \t\xa0"], ids=ascii)
def test_white_space_is_blank(blank: str) -> None:
    with pytest.raises(RuleViolation, match="blank"):
        not_blank(blank)


@pytest.mark.parametrize("unseen", ["\u200b", "\u2060", "\ufeff", "\xad", "\u200e\u202e", " \u200b "], ids=ascii)
def test_text_without_a_visible_character_is_blank(unseen: str) -> None:
    with pytest.raises(RuleViolation, match="blank"):
        not_blank(unseen)


# U+1FAE8 is the shaking face of Unicode 15: clients show what the tables of Python 3.11 do not know yet.
@pytest.mark.parametrize("seen", [".", " a ", "\xa0\N{GRINNING FACE}", "\u200ba", "\U0001fae8"], ids=ascii)
def test_text_with_a_visible_character_is_unchanged(seen: str) -> None:
    assert not_blank(seen) == seen
