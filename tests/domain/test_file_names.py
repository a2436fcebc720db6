"""The last segment of an object key, made from the name of a document."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.downloads import safe_file_name
from domain.paths import storage_path, workspace_prefix
from tests.domain.anything import TEXTS
from tests.domain.samples import NASTY_NAMES, OWN

EXTENSIONS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=15).map(".{}".format)
LETTERS = st.sampled_from(string.ascii_letters + string.digits)


def is_safe(file_name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,149}", file_name) is not None


@pytest.mark.parametrize("name", NASTY_NAMES, ids=ascii)
def test_a_nasty_name_becomes_a_safe_one(name: str) -> None:
    assert is_safe(safe_file_name(name))


@given(TEXTS)
def test_any_name_becomes_a_safe_one(name: str) -> None:
    assert is_safe(safe_file_name(name))


@given(TEXTS)
def test_a_safe_name_is_always_a_segment_of_a_storage_path(name: str) -> None:
    key = workspace_prefix(OWN) + "documents/01HY0000000000000000000000/" + safe_file_name(name)
    assert storage_path(key, OWN) == key


@given(TEXTS, LETTERS, TEXTS, EXTENSIONS)
def test_the_extension_is_kept(before: str, letter: str, after: str, extension: str) -> None:
    assert safe_file_name(before + letter + after + extension).endswith(extension)


@pytest.mark.parametrize("name", ["?.pdf", "!!!.pdf", "-.pdf", "- -.pdf", "\u200b.pdf", "\u0301.pdf"], ids=ascii)
def test_the_extension_of_a_name_without_letters_is_kept(name: str) -> None:
    assert safe_file_name(name).endswith(".pdf")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        *(("a.pdf", "a.pdf"), ("Acme-NDA_2026.v2.pdf", "Acme-NDA_2026.v2.pdf"), ("two words.pdf", "two-words.pdf")),
        *(("  a   b  ", "a-b"), ("r\xe9sum\xe9.pdf", "resume.pdf"), ("\ufb01le \uff12.pdf", "file-2.pdf")),
        *(("\u5951\u7d04.pdf", "__.pdf"), ("../../etc/passwd", "etc-passwd"), ("a/b\\c.pdf", "a-b-c.pdf")),
        *((".htaccess", "file.htaccess"), ("?.pdf", "file.pdf"), ("--help", "help"), ("...", "file")),
        *(("?", "file"), ("\u200b", "file")),
    ],
    ids=ascii,
)
def test_a_safe_name_resembles_the_name(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        pytest.param("a" * 150, "a" * 150, id="150 characters stay"),
        pytest.param("a" * 151, "a" * 150, id="151 are cut"),
        pytest.param("a" * 200 + ".pdf", "a" * 146 + ".pdf", id="the extension stays"),
        pytest.param("a" * 200 + ".tar.gz", "a" * 147 + ".gz", id="the last extension stays"),
        pytest.param("a." + "b" * 200, "a." + "b" * 148, id="what is too long for an extension is cut"),
    ],
)
def test_a_long_name_is_cut_to_150(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe
