"""Storage paths: object keys of the own workspace, accepted unchanged or refused."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.members import RuleViolation
from domain.paths import StoragePath, storage_path, workspace_prefix
from tests.domain.anything import SPITEFUL, TEXTS, ask
from tests.domain.samples import FOREIGN, OWN

PREFIX = f"workspaces/{OWN}/"
# As the contract lists them.
ALLOWED = string.ascii_letters + string.digits + "!-_.*'()&$@=;:+, "

SEGMENTS = st.text(ALLOWED, max_size=12) | st.text(SPITEFUL, max_size=4) | st.sampled_from(["", ".", "..", "a" * 255])
KEYS = st.lists(SEGMENTS, max_size=6).map("/".join)
PREFIXES = st.sampled_from(["", "/", "workspaces/", PREFIX, PREFIX.upper(), workspace_prefix(FOREIGN)])


def obeys_the_contract(key: str) -> bool:
    """The rule once more, in other words than the code's."""
    if len(key.encode("utf-8", "surrogatepass")) > 1024 or not key.startswith(PREFIX):
        return False
    return all(
        segment not in ("", ".", "..")
        and len(segment) <= 255
        and segment == segment.strip(" ")
        and set(segment) <= set(ALLOWED)
        for segment in key.split("/")
    )


def own_path(key: object) -> StoragePath:
    return storage_path(key, OWN)


def is_accepted(key: object) -> bool:
    return ask(own_path, key) == key


def key_of(length: int) -> str:
    """An own key of that many characters, in segments of at most 200."""
    filler = ("x" * 200 + "/") * 10
    return (PREFIX + filler)[: length - 1] + "x"


def test_the_prefix_of_a_workspace_contains_its_id() -> None:
    assert workspace_prefix(OWN) == PREFIX


@pytest.mark.parametrize(
    "rest",
    [
        *("a", "documents/new-upload.pdf", "documents/01HY0000000000000000000000/Acme-NDA-2026.pdf"),
        *("!-_.*'()&$@=;:+,", "a b/c  d", "...", "..a/a../a..b/.a/a.", "-/_/*", "workspaces/" + FOREIGN + "/a"),
        pytest.param("a" * 255, id="a segment of 255"),
    ],
)
def test_an_object_key_of_the_own_workspace_is_unchanged(rest: str) -> None:
    assert own_path(PREFIX + rest) == PREFIX + rest


def test_a_path_has_at_most_1024_bytes() -> None:
    assert len(key_of(1024)) == 1024
    assert is_accepted(key_of(1024))
    assert not is_accepted(key_of(1025))


@pytest.mark.parametrize(
    "rest",
    [
        *("", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/.", "a/..", "a/./b", "a/../b"),
        *(f"../{FOREIGN}/a", f"a/../../{FOREIGN}/a", " a", "a ", " ", "a/ b", "a /b", "a\\b", "..\\a", "%2e%2e/a"),
        *("a%2fb", "a?b", "a#b", "a&b?", 'a"b', "a<b>", "a|b", "a~b", "a^b", "a`b", "a{b}", "a[b]", "a\0", "a\n"),
        *("\na", "a\tb", "a\x7f", "\xe9", "e\u0301", "a\xa0", "\uff0e\uff0e/a", "a\u2215b", "a\ud800"),
        *("\N{GRINNING FACE}", pytest.param("a" * 256, id="a segment of 256")),
        pytest.param("a/" * 5000, id="10000 bytes"),
    ],
    ids=ascii,
)
def test_a_malformed_object_key_is_refused(rest: str) -> None:
    with pytest.raises(RuleViolation):
        own_path(PREFIX + rest)


@pytest.mark.parametrize(
    "key",
    [
        *(f"workspaces/{FOREIGN}/a", f"/workspaces/{OWN}/a", f"workspaces//{OWN}/a", f"./workspaces/{OWN}/a"),
        *(f"workspaces/./{OWN}/a", f"workspaces/{FOREIGN}/../{OWN}/a", f"Workspaces/{OWN}/a"),
        *(f"workspaces/{OWN.lower()}/a", f"workspaces/{OWN}a/a", f"workspaces/{OWN[:-1]}/a"),
        *(f"workspaces/{OWN} /a", f"workspaces/{OWN}", f"workspaces/{OWN}\\a", f" workspaces/{OWN}/a"),
        *(f"\ufeffworkspaces/{OWN}/a", f"bucket/workspaces/{OWN}/a", f"s3://bucket/workspaces/{OWN}/a"),
        *(f"file:///workspaces/{OWN}/a", "workspaces/", "workspaces/a", "/etc/passwd", ""),
    ],
)
def test_an_object_key_outside_the_own_workspace_is_refused(key: str) -> None:
    with pytest.raises(RuleViolation):
        own_path(key)


@given(TEXTS)
def test_a_foreign_object_key_is_refused_like_a_malformed_one(nonsense: str) -> None:
    with pytest.raises(RuleViolation) as for_nonsense:
        own_path(nonsense)
    with pytest.raises(RuleViolation) as for_foreign:
        own_path(f"workspaces/{FOREIGN}/a")
    assert str(for_nonsense.value) == str(for_foreign.value)


@given(st.builds("{}{}".format, PREFIXES, KEYS))
def test_a_path_is_accepted_exactly_if_it_obeys_the_contract(key: str) -> None:
    assert is_accepted(key) == obeys_the_contract(key)


@given(KEYS.map(PREFIX.__add__))
def test_an_own_object_key_is_accepted_exactly_if_it_obeys_the_contract(key: str) -> None:
    assert is_accepted(key) == obeys_the_contract(key)
