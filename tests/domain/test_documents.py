"""The rules of a document's members, at their boundaries."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents import description, mime_type, name, sha256, size_bytes, tags
from domain.members import Rule, RuleViolation
from domain.paths import folder_path, storage_path
from domain.text import string
from tests.domain.anything import JSON, TEXTS, ask
from tests.domain.samples import OWN

NOT_STRINGS = [None, True, 0, 1.5, [], ["a"], {}, {"a": "a"}]

RULES: dict[str, Rule[object]] = {
    "string": string,
    "name": name,
    "mime_type": mime_type,
    "description": description,
    "size_bytes": size_bytes,
    "tags": tags,
    "sha256": sha256,
    "folder": folder_path,
    "storage_path": lambda value: storage_path(value, OWN),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@given(value=JSON)
def test_the_result_of_a_rule_for_any_json_value_is_a_fixed_point(rule: Rule[object], value: object) -> None:
    once = ask(rule, value)
    if not isinstance(once, RuleViolation):
        # The root, None, is spelled '/'.
        assert rule("/" if once is None else once) == once


@pytest.mark.parametrize("rule", [name, description, folder_path, sha256], ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("value", NOT_STRINGS, ids=repr)
def test_a_text_rule_refuses_every_other_type(rule: Rule[object], value: object) -> None:
    with pytest.raises(RuleViolation, match="must be a string"):
        rule(value)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        *(pytest.param("a", "a", id="1 character"), pytest.param("a" * 255, "a" * 255, id="255 characters")),
        pytest.param("\N{GRINNING FACE}" * 255, "\N{GRINNING FACE}" * 255, id="255 characters of 4 bytes"),
        pytest.param("e\u0301" * 255, "\xe9" * 255, id="255 characters in NFC"),
        *(pytest.param("a/b\\c:d.pdf", "a/b\\c:d.pdf", id="separators"), pytest.param("..", "..", id="dots")),
        pytest.param(" a ", " a ", id="blanks around it"),
    ],
)
def test_a_name_has_1_to_255_characters_of_any_script(sent: str, kept: str) -> None:
    assert name(sent) == kept


@pytest.mark.parametrize(
    "sent",
    [
        *(pytest.param("", id="empty"), pytest.param("a" * 256, id="256 characters")),
        *(pytest.param("\u0958" * 128, id="256 characters in NFC"), pytest.param(" ", id="a blank")),
        *(pytest.param("\xa0\u3000", id="blanks of other scripts"), pytest.param("a\nb", id="a newline")),
        *(pytest.param("a\tb", id="a tab"), pytest.param("a\rb", id="a carriage return")),
        *(pytest.param("a\0", id="NUL"), pytest.param("a\x7f", id="DEL"), pytest.param("a\x85", id="NEL")),
        pytest.param("a\ud800", id="a lone surrogate"),
    ],
)
def test_a_name_is_not_blank_not_long_and_without_control_characters(sent: str) -> None:
    with pytest.raises(RuleViolation):
        name(sent)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param("", id="empty"),
        pytest.param("  ", id="blank"),
        pytest.param("a\n\tb\n", id="newline and tab"),
        pytest.param("\N{GRINNING FACE}" * 4096, id="4096 characters"),
    ],
)
def test_a_description_may_be_empty_long_and_of_many_lines(sent: str) -> None:
    assert description(sent) == sent


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param("a" * 4097, id="4097 characters"),
        pytest.param("a\r\nb", id="a carriage return"),
        pytest.param("a\0", id="NUL"),
        pytest.param("a\x1b[31m", id="an escape"),
        pytest.param("a\udfff", id="a lone surrogate"),
    ],
)
def test_a_description_has_no_other_control_characters_and_at_most_4096(sent: str) -> None:
    with pytest.raises(RuleViolation):
        description(sent)


@pytest.mark.parametrize("size", [0, 1, 183204, 2**31, 2**53 + 1, 2**63 - 1])
def test_a_size_is_0_to_2_to_the_63_less_1(size: int) -> None:
    assert size_bytes(size) == size


@pytest.mark.parametrize("size", [-1, 2**63, 10**4000], ids=["-1", "2**63", "10**4000"])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(RuleViolation, match="must be 0 to 9223372036854775807"):
        size_bytes(size)


@pytest.mark.parametrize("value", [None, True, False, 1.5, 1e3, "1", [1], {}], ids=repr)
def test_a_size_is_an_integer(value: object) -> None:
    with pytest.raises(RuleViolation, match="must be an integer"):
        size_bytes(value)


def numbered(count: int) -> list[object]:
    return [f"tag {number}" for number in range(count)]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param([], (), id="none"),
        pytest.param(["nda", "confidentiality"], ("nda", "confidentiality"), id="the order sent"),
        pytest.param(["b", "a", "b", "a"], ("b", "a"), id="the first of equal ones"),
        pytest.param([" a ", "a\n", "\u3000a"], ("a",), id="trimmed before they are compared"),
        pytest.param(["e\u0301", "\xe9"], ("\xe9",), id="in NFC before they are compared"),
        pytest.param(["a", "A"], ("a", "A"), id="case tells them apart"),
        pytest.param(["x" * 64], ("x" * 64,), id="64 characters"),
        pytest.param([" " + "x" * 64 + " "], ("x" * 64,), id="64 characters once trimmed"),
        pytest.param(numbered(50), tuple(numbered(50)), id="50 of them"),
    ],
)
def test_tags_are_trimmed_in_nfc_and_distinct(sent: list[object], kept: tuple[str, ...]) -> None:
    assert tags(sent) == kept


@pytest.mark.parametrize(
    "sent",
    [
        *(pytest.param(None, id="null"), pytest.param("nda", id="a string")),
        *(pytest.param({"a": "b"}, id="an object"), pytest.param(["a", None], id="a null")),
        *(pytest.param(["a", 1], id="a number"), pytest.param([["a"]], id="an array")),
        *(pytest.param([{}], id="the empty object of the page"), pytest.param([""], id="an empty tag")),
        *(pytest.param(["a", " \t"], id="a blank tag"), pytest.param(["x" * 65], id="65 characters")),
        *(pytest.param(["a\0b"], id="NUL"), pytest.param(["a\nb"], id="a newline inside")),
        *(pytest.param(["\ud800"], id="a lone surrogate"), pytest.param(numbered(51), id="51 of them")),
    ],
)
def test_tags_are_at_most_50_strings_of_1_to_64_characters(sent: object) -> None:
    with pytest.raises(RuleViolation):
        tags(sent)


@given(st.lists(TEXTS, max_size=60))
def test_accepted_tags_obey_every_rule(sent: list[str]) -> None:
    kept = ask(tags, sent)
    if isinstance(kept, RuleViolation):
        return
    assert len(kept) <= 50
    assert len(set(kept)) == len(kept)
    assert all(tag == tag.strip() and 1 <= len(tag) <= 64 and unicodedata.is_normalized("NFC", tag) for tag in kept)


@pytest.mark.parametrize("sent", ["ab" * 32, "AB" * 32, "0123456789abcdefABCDEF" + "0" * 42])
def test_a_sha256_is_64_hexadecimal_digits_and_kept_in_lower_case(sent: str) -> None:
    assert sha256(sent) == sent.lower()


@pytest.mark.parametrize(
    "sent",
    ["", "a" * 63, "a" * 65, "g" * 64, "a" * 64 + "\n", " " + "a" * 63, "0x" + "a" * 62, "\uff11" * 64, "\u0663" * 64],
    ids=["empty", "63", "65", "no hex", "newline", "blank", "0x", "full width", "Arabic"],
)
def test_any_other_text_is_not_a_sha256(sent: str) -> None:
    with pytest.raises(RuleViolation, match="64 hexadecimal digits"):
        sha256(sent)
