"""Storage paths, accepted unchanged or refused; and folder paths, absolute and in NFC."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.members import RuleViolation
from domain.paths import (
    FolderPath,
    StoragePath,
    ancestors,
    depth,
    folder_path,
    is_within,
    storage_path,
    workspace_prefix,
)
from tests.domain.anything import SPITEFUL, TEXTS, ask
from tests.domain.samples import FOREIGN, OWN

PREFIX = f"workspaces/{OWN}/"
# These are the characters that the API's documentation lists.
ALLOWED = string.ascii_letters + string.digits + "!-_.*'()&$@=;:+, "

SEGMENTS = st.text(ALLOWED, max_size=12) | st.text(SPITEFUL, max_size=4) | st.sampled_from(["", ".", "..", "a" * 255])
KEYS = st.lists(SEGMENTS, max_size=6).map("/".join)
PREFIXES = st.sampled_from(["", "/", "workspaces/", PREFIX, PREFIX.upper(), workspace_prefix(FOREIGN)])


def obeys_the_contract(key: str) -> bool:
    """A second implementation of the rule, different from the code under test."""
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


# 1,024 characters in segments of at most 200.
LONGEST = (PREFIX + ("x" * 200 + "/") * 10)[:1023] + "x"


@pytest.mark.parametrize(
    "key",
    [
        *(PREFIX + "a", PREFIX + "documents/01HY0000000000000000000000/Acme-NDA-2026.pdf", PREFIX + "a" * 255, LONGEST),
        *(PREFIX + "!-_.*'()&$@=;:+,", PREFIX + "a b/c  d", PREFIX + "...", PREFIX + "..a/a../a..b/.a/a."),
        *(PREFIX + "-/_/*", f"{PREFIX}workspaces/{FOREIGN}/a"),
    ],
)
def test_an_object_key_of_the_callers_workspace_is_accepted_unchanged(key: str) -> None:
    assert own_path(key) == key


MALFORMED = [
    *("", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", f"../{FOREIGN}/a", " a", "a /b", "a\\b", "%2e%2e/a", "a?b"),
    *('a"b', "a<b>", "a~b", "a\0", "a\n", "\xe9", "e\u0301", "a\xa0", "\uff0e\uff0e/a", "a\ud800", "a" * 256),
]
OUTSIDE = [
    *(f"workspaces/{FOREIGN}/a", f"/workspaces/{OWN}/a", f"workspaces//{OWN}/a", f"workspaces/{FOREIGN}/../{OWN}/a"),
    *(f"Workspaces/{OWN}/a", f"workspaces/{OWN.lower()}/a", f"workspaces/{OWN}a/a", f"workspaces/{OWN}"),
    *(LONGEST + "x", PREFIX + "a/" * 5000, f"s3://bucket/workspaces/{OWN}/a", "/etc/passwd", ""),
]


@pytest.mark.parametrize("key", [*map(PREFIX.__add__, MALFORMED), *OUTSIDE], ids=lambda key: ascii(key)[:60])
def test_a_malformed_or_foreign_object_key_is_refused_with_the_same_text(key: str) -> None:
    with pytest.raises(
        RuleViolation, match=r"^must be an object key of this workspace, such as the one that upload-url"
    ):
        own_path(key)


@given(st.builds("{}{}".format, PREFIXES, KEYS) | KEYS.map(PREFIX.__add__) | TEXTS)
def test_a_path_is_accepted_exactly_if_it_obeys_the_contract(key: str) -> None:
    assert (ask(own_path, key) == key) == obeys_the_contract(key)


LEVELS = st.text("abc \xe9.-", min_size=1, max_size=8) | st.text(SPITEFUL, max_size=5)
FOLDERS = st.lists(LEVELS, max_size=22).map(lambda levels: "/" + "/".join(levels)) | TEXTS.map("/".__add__)
# There are few names, so that paths are often equal or begin with each other.
NEIGHBOURS = st.lists(st.sampled_from(["a", "ab", "b"]), min_size=1, max_size=4).map(
    lambda levels: FolderPath("/" + "/".join(levels))
)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        *(("/clients/acme/ndas/", "/clients/acme/ndas"), ("/a", "/a"), ("/A/a", "/A/a")),
        *(("/a b/ c ", "/a b/c"), ("/ a/\u3000b\xa0c\t", "/a/b c")),
        *(("/.../a./.b", "/.../a./.b"), ("/%2e%2e", "/%2e%2e"), ("/a\\b", "/a\\b"), ("/", None)),
        *(("/e\u0301/\u212b", "/\xe9/\xc5"), ("/\u0301", "/\u0301"), ("/a" * 20 + "/", "/a" * 20)),
        (f"/{'a' * 255}" * 20, f"/{'a' * 255}" * 20),
    ],
    ids=ascii,
)
def test_a_folder_path_is_normalised_to_nfc_and_loses_its_last_slash(sent: str, kept: str | None) -> None:
    assert folder_path(sent) == kept


@pytest.mark.parametrize(
    "sent",
    [
        *("", "a", "a/b", " /a", "\\a", "//", "///", "//a", "/a//b", "/a//", "/.", "/..", "/./", "/../", "/a/."),
        *("/a/../b", "/./a", "/a\nb", "/a\0", "/a" * 21, "/a" * 30_000),
        *("/ ", "/a/ /b", "/\u3000", "/a/\u3164", "/\u2800", "/ . ", "/\xa0..\t", "/a\u200b", "/a\u2028b"),
    ],
    ids=lambda sent: ascii(sent)[:40],
)
def test_an_invalid_folder_is_refused(sent: str) -> None:
    with pytest.raises(RuleViolation):
        folder_path(sent)


@given(FOLDERS)
def test_an_accepted_folder_has_1_to_20_levels_each_of_which_is_a_folder(sent: str) -> None:
    folder = ask(folder_path, sent)
    if isinstance(folder, RuleViolation):
        return
    line = ancestors(folder)
    assert len(line) == (folder or "").count("/") <= 20
    assert line[-1:] == (() if folder is None else (folder,))
    for level, ancestor in enumerate(line, start=1):
        assert ancestor.count("/") == depth(ancestor) == level
        assert ancestor.rpartition("/")[2] not in ("", ".", "..")
        assert folder_path(ancestor + "/") == ancestor
        assert ancestors(ancestor) == line[:level]


@given(NEIGHBOURS, NEIGHBOURS)
def test_a_folder_is_within_itself_and_its_ancestors_only(folder: FolderPath, above: FolderPath) -> None:
    assert ancestors(FolderPath("/a/b/c")) == ("/a", "/a/b", "/a/b/c")
    assert is_within(folder, above) == (above in ancestors(folder))
    assert is_within(folder, folder)
    assert not is_within(None, above)
