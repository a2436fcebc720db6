"""The patterns of the OpenAPI document: every dialect compiles them, and none refuses what its rule accepts."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import re2  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.http.wire import patterns
from domain import access, documents, entity_links, idempotency, pages, paths, search
from domain.errors import Invalid
from domain.ids import WorkspaceId
from domain.members import RuleViolation

WORKSPACE = "ws_01HY0000000000000000000000"
MEDIA_TYPE = f"^{documents.MEDIA_TYPE}$"
# Notations that some dialects lack (lookaround, backreferences, \u, \p) or read differently (\s, \w).
NOT_PORTABLE = re.compile(r"\(\?[^:]|\\[1-9uUpPsSwWbBdDAZz]")
Rule = Callable[[object], object]

# Characters that a rule treats specially, and a letter.
TRICKY = "a.. //\t\n\r\v\x00\x1c\x7f\x85\xa0\xad\u0301\u200b\u200d\u2003\u2028\u202e\u2800\u3000\ufe0f\ufffd\U0001f3f4"
TEXT = st.text(st.sampled_from(TRICKY), max_size=12)
MEDIA = st.text(st.sampled_from("aZ0/;;== \t\"\\,.+-*'é"), max_size=16).map(lambda rest: f"a/b{rest}")
KEYS = st.text(st.sampled_from("aZ0-_.. //'$*é\t"), max_size=16).map(lambda rest: f"workspaces/{WORKSPACE}/{rest}")


def storage_path(value: object) -> object:
    return paths.storage_path(value, WorkspaceId(WORKSPACE))


def idempotency_key(value: object) -> object:
    try:
        return idempotency.parse_idempotency_key(str(value))
    except Invalid as invalid:
        raise RuleViolation from invalid


def accepts(rule: Rule, text: str) -> bool:
    try:
        rule(text)
    except RuleViolation:
        return False
    return True


def matches(pattern: str, text: str) -> bool:
    """Return whether the pattern matches, in Python and in RE2 alike."""
    found = re2.search(pattern, text) is not None
    # In Python alone, `$` matches before a newline at the end too.
    assert found == (re.search(pattern.removesuffix("$") + r"\Z", text) is not None), (pattern, text)
    return found


def all_patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        for part in node.values():
            yield from all_patterns(part)
    elif isinstance(node, list):
        for part in node:
            yield from all_patterns(part)


async def test_every_pattern_compiles_in_re2_and_is_portable(document: Any) -> None:
    found = set(all_patterns(document))
    assert len(found) > 20
    for pattern in found:
        re2.compile(pattern)
        assert not NOT_PORTABLE.search(pattern), pattern
        assert pattern.startswith("^"), pattern
        assert pattern.endswith("$"), pattern


async def test_no_pattern_has_a_character_that_cannot_be_in_source_code(document: Any) -> None:
    """A generated client contains the patterns; rustc, for one, refuses bidirectional overrides in a literal."""
    characters = set("".join(all_patterns(document)))
    assert all(char.isprintable() for char in characters)
    assert {char for char in characters if not char.isascii()} == {"\ufffd"}


LAX: list[tuple[str, Rule]] = [
    (patterns.NOT_BLANK, documents.name),
    (patterns.NOT_BLANK, entity_links.role),
    (patterns.NOT_BLANK, access.label),
    (patterns.LABEL, lambda value: documents.tags([value])),
    (patterns.FOLDER, paths.folder_path),
    (patterns.SUBFOLDER, paths.subfolder_path),
    (patterns.LINES, documents.description),
    (patterns.LINE, search.search_words),
    (patterns.ENTITY_ID, entity_links.entity_id),
]


@given(TEXT)
@example("a\r\n")
@example("\u2003\ta")
@example("/ . ./...")
@example("/a/")
@example(". ")
@example("...")
@example("/" + "/".join("a" * 20))
def test_no_pattern_refuses_what_its_rule_accepts(text: str) -> None:
    for pattern, rule in LAX:
        for sent in (text, f"/{text}"):
            if accepts(rule, sent):
                assert matches(pattern, sent), pattern


@given(st.one_of(MEDIA, TEXT))
def test_the_pattern_of_a_media_type_accepts_exactly_what_its_rule_accepts(text: str) -> None:
    assert matches(MEDIA_TYPE, text) == accepts(documents.mime_type, text)


@given(st.one_of(KEYS, TEXT))
@example(f"workspaces/{WORKSPACE}/.. a")
@example(f"workspaces/{WORKSPACE}/a /b")
def test_the_pattern_of_a_storage_path_accepts_exactly_what_its_rule_accepts(text: str) -> None:
    assert matches(patterns.STORAGE_PATH, text) == accepts(storage_path, text)


@pytest.mark.parametrize(
    ("pattern", "rule", "refused"),
    [
        (
            MEDIA_TYPE,
            documents.mime_type,
            ["text/plain; charset", "a/b;", "a/b; =c", 'a/b; c="', "a/é", "text/plain\n"],
        ),
        (patterns.NOT_BLANK, documents.name, ["", " ", "\xa0", "\xad", "a\n", "a\tb", "\x7f", "\x85"]),
        (patterns.LABEL, lambda value: documents.tags([value]), ["", " \t", "\x00a", "a\x7f"]),
        (patterns.LINES, documents.description, ["a\x00", "\v", "\x9f"]),
        (
            patterns.FOLDER,
            paths.folder_path,
            ["", "a", "//", "/.", "/..", "/a/ ../b", "/ ", "/a//b", "/a" * 21, "/\x00"],
        ),
        (patterns.SUBFOLDER, paths.subfolder_path, ["/", ""]),
        (patterns.ENTITY_ID, entity_links.entity_id, ["", ".", "..", " ", "a\n", "a\ufffd"]),
        (patterns.UUID, idempotency_key, ["7c9e", '"7c9e6679-7425-40de-944b-e07fc1f90ae7', "{}"]),
        (patterns.TIME_OR_DATE, pages.timestamp_or_date, ["2026", "2026-04-17T10:45Z", "2026-04-17 10:45:00Z"]),
        (patterns.STORAGE_PATH, storage_path, [f"workspaces/{WORKSPACE}/", f"x/{WORKSPACE}/a"]),
    ],
)
def test_a_pattern_refuses_what_a_client_is_likely_to_get_wrong(pattern: str, rule: Rule, refused: list[str]) -> None:
    for text in refused:
        assert not accepts(rule, text), text
        assert not matches(pattern, text), text


@pytest.mark.parametrize("sent", ["{}", '"{}"'])
def test_an_idempotency_key_may_be_in_double_quotes(sent: str) -> None:
    key = sent.format("7C9E6679-7425-40de-944b-e07fc1f90ae7")
    assert matches(patterns.UUID, key)
    assert accepts(idempotency_key, key)
