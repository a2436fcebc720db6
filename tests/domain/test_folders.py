"""Folder paths: absolute, in NFC, and distinguishable by eye."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.members import RuleViolation
from domain.paths import FolderPath, ancestors, depth, folder_path, is_within
from tests.domain.anything import SPITEFUL, TEXTS, ask

GRIN = "\N{GRINNING FACE}"
LEVELS = st.text("abc \xe9.-", min_size=1, max_size=8) | st.text(SPITEFUL, max_size=5)
FOLDERS = st.lists(LEVELS, max_size=22).map(lambda levels: "/" + "/".join(levels)) | TEXTS.map("/".__add__)

# So few that one is often another's, or begins like it.
NEIGHBOURS = st.lists(st.sampled_from(["a", "ab", "b"]), min_size=1, max_size=4).map(
    lambda levels: FolderPath("/" + "/".join(levels))
)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        *(("/clients/acme/ndas", "/clients/acme/ndas"), ("/clients/acme/ndas/", "/clients/acme/ndas")),
        *(("/a", "/a"), ("/A/a", "/A/a"), ("/a b/ c ", "/a b/ c "), ("/.../a./.b", "/.../a./.b")),
        *(("/%2e%2e", "/%2e%2e"), ("/a\\b", "/a\\b"), pytest.param("/e\u0301/\u212b", "/\xe9/\xc5", id="in NFC")),
        pytest.param("/\u0301", "/\u0301", id="a level that is an accent"),
        pytest.param("/" + GRIN * 255, "/" + GRIN * 255, id="a level of 255 characters"),
        pytest.param("/" + "e\u0301" * 255, "/" + "\xe9" * 255, id="a level of 255 characters in NFC"),
        pytest.param("/a" * 20, "/a" * 20, id="20 levels"),
        pytest.param("/a" * 20 + "/", "/a" * 20, id="20 levels and a slash"),
    ],
)
def test_a_folder_is_kept_in_nfc_without_its_last_slash(sent: str, kept: str) -> None:
    assert folder_path(sent) == kept


def test_a_single_slash_is_the_root_which_is_none() -> None:
    assert folder_path("/") is None


@pytest.mark.parametrize(
    "sent",
    [
        *("", "a", "a/b", " /a", "\\a", "//", "///", "//a", "/a//b", "/a//", "/.", "/..", "/./", "/../", "/a/."),
        *("/a/../b", "/./a", "/a\nb", "/a\tb", "/a\0", "/a\x7f", "/a\x85"),
        *(pytest.param("/a\u200b", id="zero-width space"), pytest.param("/a\u202eb", id="right-to-left override")),
        *(pytest.param("/\ufeffa", id="byte order mark"), pytest.param("/a\xad", id="soft hyphen")),
        *(pytest.param("/\U000e0041", id="tag character"), pytest.param("/\ue000", id="private use")),
        *(pytest.param("/\U0010fffd", id="private use, plane 16"), pytest.param("/\ud800", id="lone surrogate")),
        pytest.param("/" + "a" * 256, id="a level of 256 characters"),
        pytest.param("/" + "\u0958" * 128, id="a level of 256 characters in NFC"),
        *(pytest.param("/a" * 21, id="21 levels"), pytest.param("/a" * 30_000, id="30000 levels")),
    ],
)
def test_an_invalid_folder_is_refused(sent: str) -> None:
    with pytest.raises(RuleViolation):
        folder_path(sent)


@given(FOLDERS)
def test_an_accepted_folder_obeys_every_rule(sent: str) -> None:
    folder = ask(folder_path, sent)
    if isinstance(folder, RuleViolation):
        return
    if folder is None:
        assert sent == "/"
        return
    root, *levels = folder.split("/")
    assert root == ""
    assert 1 <= len(levels) <= 20
    assert unicodedata.is_normalized("NFC", folder)
    for level in levels:
        assert level not in ("", ".", "..")
        assert len(level) <= 255
        assert not {unicodedata.category(char) for char in level} & {"Cc", "Cf", "Co", "Cs"}


@given(FOLDERS)
def test_one_trailing_slash_changes_nothing(sent: str) -> None:
    folder = ask(folder_path, sent)
    if folder is not None and not isinstance(folder, RuleViolation):
        assert folder_path(folder + "/") == folder
        with pytest.raises(RuleViolation):
            folder_path(folder + "//")


def test_the_ancestors_are_the_folder_and_every_folder_above_it_from_the_top() -> None:
    assert ancestors(FolderPath("/a/b/c")) == ("/a", "/a/b", "/a/b/c")
    assert ancestors(FolderPath("/a")) == ("/a",)


def test_the_root_has_no_ancestors() -> None:
    assert ancestors(None) == ()


@given(FOLDERS)
def test_every_ancestor_is_a_folder_one_level_deeper_than_the_one_before(sent: str) -> None:
    folder = ask(folder_path, sent)
    if isinstance(folder, RuleViolation):
        return
    line = ancestors(folder)
    assert len(line) == (folder or "").count("/")
    for level, ancestor in enumerate(line, start=1):
        assert ancestor.count("/") == depth(ancestor) == level
        assert folder_path(ancestor) == ancestor
        assert ancestors(ancestor) == line[:level]
    assert line[-1:] == (() if folder is None else (folder,))


@pytest.mark.parametrize(
    ("folder", "above", "expected"),
    [
        *(("/a", "/a", True), ("/a/b", "/a", True), ("/a/b/c", "/a", True), ("/a/b/c", "/a/b", True)),
        *(("/a", "/a/b", False), ("/ab", "/a", False), ("/a b", "/a", False), ("/A/b", "/a", False)),
        *(("/b/a", "/a", False), (None, "/a", False)),
    ],
)
def test_a_folder_is_within_itself_and_the_folders_above_it_only(
    folder: FolderPath | None, above: FolderPath, expected: bool
) -> None:
    assert is_within(folder, above) is expected


@given(NEIGHBOURS, NEIGHBOURS)
def test_a_folder_is_within_exactly_its_ancestors(folder: FolderPath, above: FolderPath) -> None:
    assert is_within(folder, above) == (above in ancestors(folder))
    assert all(is_within(folder, ancestor) for ancestor in ancestors(folder))
