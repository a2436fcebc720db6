"""The last segment of an object key, made from the name of a document."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.downloads import safe_file_name
from domain.paths import storage_path, workspace_prefix
from tests.domain.anything import TEXTS
from tests.domain.samples import NASTY_NAMES, OWN

EXTENSIONS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=15).map(".{}".format)
LETTERS = st.sampled_from(string.ascii_letters + string.digits)


@settings(max_examples=300)
@given(TEXTS | st.sampled_from(NASTY_NAMES))
def test_any_document_name_becomes_a_safe_segment_of_a_storage_path(name: str) -> None:
    safe = safe_file_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,149}", safe)
    key = f"{workspace_prefix(OWN)}documents/01HY0000000000000000000000/{safe}"
    assert storage_path(key, OWN) == key


@given(TEXTS, LETTERS, TEXTS, EXTENSIONS)
def test_the_extension_of_a_file_name_is_kept(before: str, letter: str, after: str, extension: str) -> None:
    assert safe_file_name(before + letter + after + extension).endswith(extension)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        *(("a.pdf", "a.pdf"), ("Acme-NDA_2026.v2.pdf", "Acme-NDA_2026.v2.pdf"), ("two words.pdf", "two-words.pdf")),
        *(("  a   b  ", "a-b"), ("r\xe9sum\xe9.pdf", "resume.pdf"), ("\ufb01le \uff12.pdf", "file-2.pdf")),
        *(("\u5951\u7d04.pdf", "__.pdf"), ("../../etc/passwd", "etc-passwd"), ("a/b\\c.pdf", "a-b-c.pdf")),
        *((".htaccess", "file.htaccess"), ("?.pdf", "file.pdf"), ("--help", "help"), ("...", "file")),
        *(("?", "file"), ("\u200b", "file"), ("- -.pdf", "file.pdf"), ("\u200b.pdf", "file.pdf")),
        # A name is cut to 150 characters. Its last extension stays, unless it is too long to be one.
        *(("a" * 150, "a" * 150), ("a" * 151, "a" * 150), ("a" * 200 + ".tar.gz", "a" * 147 + ".gz")),
        ("a." + "b" * 200, "a." + "b" * 148),
    ],
    ids=ascii,
)
def test_a_safe_file_name_resembles_the_document_name(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe
