"""The two grammars: where bytes are (storage_path) and where people look for them (folder)."""

import re
from typing import Any

import pytest

from .client import OMIT, ULID, Client, wrong_fields

# {mine} is an object of ours that is there, {own} our workspace, {theirs} a neighbour's object that is there,
# {other} their workspace, {documents} "workspaces/<ours>/documents". Whoever tidied such a path up before
# looking would find {mine} or {theirs}.
HOSTILE = [
    # nonsense, and other people's file systems
    *("", " ", "/", ".", "..", "~", "*", "nonsense", "etc/passwd", "/etc/passwd", "../../../../etc/passwd"),
    *("C:\\Windows\\win.ini", "\\\\host\\share", "file:///etc/passwd", "s3://bucket/key", "http://h/{mine}"),
    *("workspaces", "workspaces/", "workspaces/{own}", "workspaces/{own}/", "workspaces//{own}/x"),
    # the neighbour's
    *("{theirs}", "/{theirs}", "./{theirs}", "workspaces/{own},{other}/x", "workspaces/{other}/documents/x"),
    *("workspaces/*/x", "workspaces/{own}/../{other}/x", "workspaces/{own}/../../{theirs}"),
    *("{documents}/../../../{theirs}", "workspaces/{own}/..;/{other}/x"),
    # the same in codes that somebody might undo
    *("workspaces/{own}/..%2f{other}/x", "workspaces/{own}/%2e%2e/x", "workspaces/{own}/%252e%252e/x"),
    *("workspaces%2f{own}%2fx", "workspaces/{own}%2fx", "workspaces/{own}/..%5c{other}/x"),
    *("workspaces/{own}/..%c0%af{other}/x", "workspaces/{own}/%00", "workspaces/{own}/x%2e"),
    *("workspaces\\{own}\\x", "workspaces/{own}/..\\{other}\\x", "workspaces/{own}\\..\\{other}/x"),
    # nearly our prefix
    *("workspaces/{own}x/documents/x", "workspaces/{own}./x", "xworkspaces/{own}/x", "workspace/{own}/x"),
    *("Workspaces/{own}/x", "WORKSPACES/{own}/x", "workspaces/ {own}/x", "workspaces/{own} /x"),
    # our own object, but for what tidying up would take away
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
]


@pytest.mark.parametrize("template", HOSTILE)
def test_a_path_outside_the_grammar_or_the_workspace_is_refused_and_never_normalised(
    home: Client, neighbour: Client, shared: tuple[str, str], template: str
) -> None:
    mine, theirs = shared
    path = template.replace("{mine}", mine).replace("{theirs}", theirs)
    path = path.replace("{documents}", f"workspaces/{home.workspace}/documents")
    path = path.replace("{own}", home.workspace).replace("{other}", neighbour.workspace)
    answer = home.record(path)
    assert wrong_fields(answer) == {"storage_path"}
    assert neighbour.workspace not in answer.text


@pytest.fixture(scope="module")
def shared(home: Client, neighbour: Client) -> tuple[str, str]:
    return home.upload(), neighbour.upload()


def test_our_own_path_and_the_neighbours_were_left_free_by_all_that(
    home: Client, neighbour: Client, shared: tuple[str, str]
) -> None:
    home.recorded(shared[0])
    neighbour.recorded(shared[1])


@pytest.mark.parametrize("value", [OMIT, None, 5, 1.5, True, [], ["x"], {}])
def test_a_path_that_is_no_string_is_refused(home: Client, value: Any) -> None:
    assert wrong_fields(home.record(value)) == {"storage_path"}


def test_the_case_of_the_workspace_matters(home: Client, stored: str) -> None:
    prefix = f"workspaces/{home.workspace}"
    assert wrong_fields(home.record(stored.replace(prefix, prefix.lower()))) == {"storage_path"}
    home.recorded(stored)


@pytest.mark.parametrize("tail", ["", "/x", "/" + "x" * 255, "/x" * 400, "/a b!-_.*'()&$@=;:+,c"])
def test_a_folder_of_the_store_and_what_it_lacks_are_not_there(home: Client, stored: str, tail: str) -> None:
    assert wrong_fields(home.record(stored.rsplit("/", 1)[0] + tail)) == {"storage_path"}


@pytest.mark.parametrize("tail", ["/x", "/" + "x" * 255, "/x" * 400])
def test_a_path_below_a_stored_file_is_not_there(home: Client, stored: str, tail: str) -> None:
    assert wrong_fields(home.record(stored + tail)) == {"storage_path"}
    home.recorded(stored)


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "..",
        ".",
        "...",
        " a ",
        "\u00e9",
        "\U0001f4c4" * 255,
        "x" * 255,
        "a\\b",
        "%2e%2e%2f",
        "CON",
        "-rf",
        "\u202egpj",
    ],
)
def test_the_path_of_an_upload_keeps_to_the_grammar_whatever_the_name(home: Client, name: str) -> None:
    path = home.upload(b"x", name)
    prefix, _, file_name = path.rpartition("/")
    assert re.fullmatch(f"workspaces/{home.workspace}/documents/{ULID}", prefix)
    assert re.fullmatch(r"[A-Za-z0-9!\-_.*'()&$@=;:+, ]{1,255}", file_name)
    assert file_name == file_name.strip()
    assert file_name not in {".", ".."}
    assert len(path) <= 1024
    assert home.recorded(path, name=name)["storage_path"] == path


@pytest.mark.parametrize(
    ("folder", "kept"),
    [
        ("/", None),
        ("/a", "/a"),
        ("/a/", "/a"),
        ("/clients/acme/ndas", "/clients/acme/ndas"),
        ("/A/a", "/A/a"),
        ("/e\u0301", "/\u00e9"),
        ("/\U0001f4c4", "/\U0001f4c4"),
        ("/M\u00fcller & S\u00f6hne", "/M\u00fcller & S\u00f6hne"),
        ("/...", "/..."),
        ("/a%2e%2e", "/a%2e%2e"),
        ("/x" * 20, "/x" * 20),
        ("/x" * 20 + "/", "/x" * 20),
        ("/" + "x" * 255, "/" + "x" * 255),
        ("/" + "\U0001f4c4" * 255, "/" + "\U0001f4c4" * 255),
    ],
)
def test_a_folder_is_kept_without_its_trailing_slash_and_the_root_is_null(
    home: Client, stored: str, folder: str, kept: str | None
) -> None:
    assert home.recorded(stored, folder=folder)["folder"] == kept


@pytest.mark.parametrize(
    "folder",
    [
        *(5, 1.5, True, [], ["/a"], {}),
        *("", " ", "a", "a/b", "./a", "../a", "\\a", "C:/a"),
        *("//a", "/a//b", "/a/b//", "/.", "/..", "/a/.", "/a/..", "/a/../b", "/./a", "/a/./b"),
        *("/x" * 21, "/" + "x" * 256, "/" + "\U0001f4c4" * 256),
        *("/a\nb", "/a\tb", "/a\x1bb", "/a\x7fb", "/a\x85b"),
        *("/a\u200bb", "/\u202ea", "/\ufeffa", "/a\u00adb"),
        *("/a\u200db", "/\ue000", "/\U000f0000", "/\U0010fffd"),
    ],
)
def test_any_other_folder_is_refused(home: Client, stored: str, folder: Any) -> None:
    assert wrong_fields(home.record(stored, folder=folder)) == {"folder"}
    home.recorded(stored)
