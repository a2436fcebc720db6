"""The members of a document over HTTP: what is kept, what is refused. The rules' edges are in tests/domain."""

import re
from typing import Any

import pytest

from .client import OMIT, ULID, Client, with_member, wrong_fields
from .documents import DOCUMENTS

ASTRAL = "\U0001f4c4"
DECOMPOSED, COMPOSED = "e\u0301", "\u00e9"
WRONG_TYPES = [5, 1.5, True, False, {}, {"a": "b"}]

KEPT: dict[str, list[tuple[Any, Any]]] = {
    "name": [
        *((name, name) for name in ("x", "x" * 255, ASTRAL * 255, 'M\u00fcller & S\u00f6hne \u2013 "final".pdf')),
        *((name, name) for name in ("a/b\\c", "..")),
        (DECOMPOSED, COMPOSED),
    ],
    "mime_type": [
        *((kind, kind) for kind in ("image/svg+xml", "x-unheard/of", "a/" + "b" * 127, "a!#$&-^_.+/b!#$&-^_.+")),
    ],
    "description": [("two\nlines\tand a tab",) * 2, (ASTRAL * 4096,) * 2, (DECOMPOSED, COMPOSED)],
    "tags": [
        ([], []),
        (["b", "a", " b ", "\tlegal\n", "A"], ["b", "a", "legal", "A"]),
        ([DECOMPOSED, COMPOSED], [COMPOSED]),
        (["x" * 64, ASTRAL * 64], ["x" * 64, ASTRAL * 64]),
        ([f"t{n}" for n in range(50)],) * 2,
    ],
    "folder": [
        *(("/", None), ("/a/", "/a"), ("/A/a", "/A/a"), ("/e\u0301", "/\u00e9"), ("/...", "/...")),
        *(("/x" * 20 + "/", "/x" * 20), ("/" + ASTRAL * 255,) * 2, ("/a%2e%2e", "/a%2e%2e")),
    ],
}

REFUSED: dict[str, list[Any]] = {
    "name": [
        *(OMIT, None, [], ["x"], *WRONG_TYPES, "", " ", "\u2003\u3000", "x" * 256, ASTRAL * 256),
        *("a\nb", "a\tb", "a\x1bb", "a\x7fb", "a\r\nSet-Cookie: x=1"),
    ],
    "mime_type": [
        *(OMIT, None, [], ["text/plain"], *WRONG_TYPES, "", " ", "pdf", "/", "application/", "/pdf", "text/plain/x"),
        *("text plain", "text\\plain", "*/*", ".x/y", "a/" + "b" * 128, "text/pla\u0131n", "text/plain\n"),
        *("text/plain\r\nX-Evil: 1", "text/plain; charset", "text/plain, text/html", "text/plain; a=b\r\nX-Evil: 1"),
    ],
    "description": [[], ["d"], *WRONG_TYPES, "d" * 4097, ASTRAL * 4097, "a\x1bb", "a\x9bb"],
    "tags": [
        *("nda", "", *WRONG_TYPES, [5], [None], [True], [{}], [["a"]], [""], ["   "], ["ok", ""], ["x" * 65]),
        [f"t{n}" for n in range(51)],
    ],
    "folder": [
        *(5, 1.5, True, [], ["/a"], {}, "", " ", "a", "a/b", "../a", "C:/a", "//a", "/a//b", "/.", "/a/..", "/./a"),
        *("/x" * 21, "/" + "x" * 256, "/a\nb", "/a\x1bb", "/a\u200bb", "/\u202ea", "/\ufeffa"),
    ],
    "size_bytes": [True, False, 5.5, "5", "", [], [5], {}, -1, 2**53, 2**63, 2**64 + 5, -(2**63) - 1],
    "storage_path": [OMIT, None, 5, 1.5, True, [], ["x"], {}],
}


@pytest.mark.parametrize(("member", "values"), KEPT.items(), ids=KEPT)
def test_a_member_is_kept_in_its_normal_form(home: Client, member: str, values: list[tuple[Any, Any]]) -> None:
    for sent, kept in values:
        assert home.recorded(**{member: sent})[member] == kept


@pytest.mark.parametrize(("member", "values"), REFUSED.items(), ids=REFUSED)
def test_a_wrong_member_is_named_alone_and_leaves_the_path_free(
    home: Client, stored: str, member: str, values: list[Any]
) -> None:
    for value in values:
        sent = {**home.document(stored), member: value}
        answer = home.post(DOCUMENTS, {name: given for name, given in sent.items() if given is not OMIT})
        assert wrong_fields(answer) == {member}, repr(value)
    home.recorded(stored)


@pytest.mark.parametrize(("size", "content"), [(True, b"1"), (False, b"")])
def test_a_boolean_is_no_size_even_if_it_equals_the_stored_one(home: Client, size: bool, content: bytes) -> None:
    assert wrong_fields(home.record(home.upload(content), size_bytes=size)) == {"size_bytes"}


def test_a_number_that_no_integer_equals_is_refused_as_a_size(home: Client, stored: str) -> None:
    for text in ("1e400", "-1e400", "9" * 400, "9" * 5000, "1e-400", "-0.5"):
        answer = home.post(DOCUMENTS, with_member(home.document(stored), "size_bytes", text))
        assert answer.status_code == 400, text
    home.recorded(stored)


# {mine} is a stored object of this workspace {own}, {theirs} one of another workspace {other}, and {documents} is
# "workspaces/<own>/documents". A service that normalised such a path would find {mine} or {theirs}.
HOSTILE = [
    # nonsense, and other file systems
    *("", " ", "/", ".", "..", "~", "*", "nonsense", "etc/passwd", "/etc/passwd", "../../../../etc/passwd"),
    *("C:\\Windows\\win.ini", "\\\\host\\share", "file:///etc/passwd", "s3://bucket/key", "http://h/{mine}"),
    *("workspaces", "workspaces/", "workspaces/{own}", "workspaces/{own}/", "workspaces//{own}/x"),
    # the other workspace
    *("{theirs}", "/{theirs}", "./{theirs}", "workspaces/{own},{other}/x", "workspaces/{other}/documents/x"),
    *("workspaces/*/x", "workspaces/{own}/../{other}/x", "workspaces/{own}/../../{theirs}"),
    *("{documents}/../../../{theirs}", "workspaces/{own}/..;/{other}/x"),
    # the same, encoded
    *("workspaces/{own}/..%2f{other}/x", "workspaces/{own}/%2e%2e/x", "workspaces/{own}/%252e%252e/x"),
    *("workspaces%2f{own}%2fx", "workspaces/{own}%2fx", "workspaces/{own}/..%5c{other}/x"),
    *("workspaces/{own}/..%c0%af{other}/x", "workspaces/{own}/%00", "workspaces/{own}/x%2e"),
    *("workspaces\\{own}\\x", "workspaces/{own}/..\\{other}\\x", "workspaces/{own}\\..\\{other}/x"),
    # almost this workspace's prefix
    *("workspaces/{own}x/documents/x", "workspaces/{own}./x", "xworkspaces/{own}/x", "workspace/{own}/x"),
    *("Workspaces/{own}/x", "WORKSPACES/{own}/x", "workspaces/ {own}/x", "workspaces/{own} /x"),
    # the stored object with something that normalising removes
    *("/{mine}", "//{mine}", "./{mine}", "{mine}/", "{mine}//", "{mine}/.", "{mine}/..", "\ufeff{mine}"),
    *(" {mine}", "{mine} ", "{mine}\n", "{mine}\r\n", "{mine}\t"),
    *("{mine}?", "{mine}?x=1", "{mine}#x", "{mine}%00"),
    # segments and characters outside the grammar
    *("{documents}//x", "{documents}/./x", "{documents}/../documents/x", "{documents}/x /y"),
    *("{documents}/x/..", "{documents}/ x/y", "{documents}/a%20b", "{documents}/a~b"),
    *("{documents}/a^b", "{documents}/a|b", "{documents}/a`b", "{documents}/<b>"),
    *('{documents}/"b"', "{documents}/b}", "{documents}/[b]"),
    *("{documents}/b\x7f", "{documents}/b\x1b", "{documents}/\u00e9", "{documents}/e\u0301"),
    *("{documents}\\x", "{documents}/\U0001f4c4", "{documents}/\u202ex", "{documents}/\u200bx"),
    # look-alikes
    *("workspaces\u2215{own}\u2215x", "workspaces\uff0f{own}\uff0fx", "workspaces/{own}\u2044x"),
    *("w\u043erkspaces/{own}/x", "workspaces/{own}/\uff0e\uff0e/x", "workspaces/{own}/\u2024\u2024/x"),
    # too long
    *("{documents}/" + "x" * 256, "{documents}" + "/x" * 600, "x" * 2000),
    # inside the grammar, but nothing is stored there
    *("{mine}/x", "{mine}" + "/x" * 400, "{documents}", "{documents}/x", "{documents}/a b!-_.*'()&$@=;:+,c"),
]


def test_a_path_outside_the_workspace_or_the_grammar_is_refused_and_never_normalised(
    home: Client, neighbour: Client
) -> None:
    mine, theirs = home.upload(), neighbour.upload()
    prefix = f"workspaces/{home.workspace}"
    for template in [*HOSTILE, mine.replace(prefix, prefix.lower())]:
        path = (
            template.replace("{mine}", mine).replace("{theirs}", theirs).replace("{documents}", f"{prefix}/documents")
        )
        path = path.replace("{own}", home.workspace).replace("{other}", neighbour.workspace)
        answer = home.record(path)
        assert wrong_fields(answer) == {"storage_path"}, path
        assert neighbour.workspace not in answer.text
    home.recorded(mine)
    neighbour.recorded(theirs)


def test_the_path_of_an_upload_keeps_to_the_grammar_whatever_the_name(home: Client) -> None:
    for name in ("a/b", "..", ".", " a ", "\u00e9", ASTRAL * 255, "x" * 255, "a\\b", "%2e%2e%2f", "-rf", "\u202egpj"):
        path = home.upload(b"x", name)
        prefix, _, file_name = path.rpartition("/")
        assert re.fullmatch(f"workspaces/{home.workspace}/documents/{ULID}", prefix)
        assert re.fullmatch(r"[A-Za-z0-9!\-_.*'()&$@=;:+, ]{1,255}", file_name)
        assert file_name == file_name.strip()
        assert file_name not in {".", ".."}
        assert len(path) <= 1024
        assert home.recorded(path, name=name)["storage_path"] == path
