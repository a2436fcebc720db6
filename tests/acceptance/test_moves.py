"""PATCH /v1/folders: a folder gets another path, with everything in it and below it. SQL edges: tests/contracts."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from .client import Client, data_of, error_of, together, wrong_fields
from .documents import FOLDERS, etag_of, ids, in_folder, record_of, rows, usage


def move(client: Client, source: Any, target: Any, **members: Any) -> httpx.Response:
    return client.patch(FOLDERS, {"from": source, "to": target, **members})


@pytest.fixture
def top() -> str:
    """An unused folder."""
    return f"/{uuid4()}"


def filled(client: Client, top: str, *below: str) -> list[str]:
    """Record a document in each of these folders and return their ids, the newest first."""
    return [client.recorded(folder=top + folder)["id"] for folder in below][::-1]


def children(client: Client, parent: str) -> dict[str, int]:
    return {row["folder"]: row["documents"] for row in rows(client, f"parent={parent}", FOLDERS)}


def test_a_folder_is_renamed_with_everything_in_it_and_below_it(home: Client, top: str) -> None:
    documents = filled(home, top, "/a", "/a/b", "/a/b", "/a/b/c")
    beside = filled(home, top, "/ab", "/b")
    answer = move(home, f"{top}/a", f"{top}/z")
    assert list(answer.json()["data"]) == ["folder", "documents"]
    assert data_of(answer, 200) == {"folder": f"{top}/z", "documents": 4}
    assert in_folder(home, f"{top}/z") == documents
    assert in_folder(home, f"{top}/a") == []
    assert in_folder(home, top) == beside + documents
    assert ids(home, f"folder={top}/z/b&recursive=false") == documents[1:3]
    assert record_of(home, documents[0])["folder"] == f"{top}/z/b/c"
    assert children(home, top) == {f"{top}/ab": 1, f"{top}/b": 1, f"{top}/z": 4}
    assert children(home, f"{top}/z/b") == {f"{top}/z/b/c": 1}


def test_a_move_changes_neither_etag_nor_time_nor_bytes(home: Client, top: str) -> None:
    (document_id,) = filled(home, top, "/a/b")
    before, etag, used = record_of(home, document_id), etag_of(home, document_id), usage(home)
    url = home.download_url(document_id)
    data_of(move(home, f"{top}/a", f"{top}/c"), 200)
    assert record_of(home, document_id) == before | {"folder": f"{top}/c/b"}
    assert etag_of(home, document_id) == etag
    assert usage(home) == used
    for address in (url, home.download_url(document_id)):
        assert home.storage("GET", address).content == b"hello"


def test_a_folder_moves_below_another_and_up_again(home: Client, top: str) -> None:
    documents, other = filled(home, top, "/a/b"), filled(home, top, "/c")
    assert data_of(move(home, f"{top}/a/b", f"{top}/c/new/b/"), 200) == {"folder": f"{top}/c/new/b", "documents": 1}
    assert in_folder(home, f"{top}/c") == other + documents
    assert children(home, top) == {f"{top}/a": 0, f"{top}/c": 2}
    assert children(home, f"{top}/c") == {f"{top}/c/new": 1}
    assert data_of(move(home, f"{top}/c/new/b", f"{top}-up"), 200)["documents"] == 1
    assert in_folder(home, f"{top}-up") == documents
    assert children(home, f"{top}/c") == {f"{top}/c/new": 0}


def test_an_empty_folder_moves_and_its_old_path_can_be_used_again(home: Client, top: str) -> None:
    filled(home, top, "/a/b")
    data_of(move(home, f"{top}/a/b", f"{top}/b"), 200)
    assert data_of(move(home, f"{top}/a", f"{top}/empty"), 200) == {"folder": f"{top}/empty", "documents": 0}
    new = filled(home, top, "/a/b")
    assert in_folder(home, f"{top}/a") == new
    assert children(home, top) == {f"{top}/a": 1, f"{top}/b": 1, f"{top}/empty": 0}


def test_folder_names_are_compared_in_normal_form_and_no_character_is_a_wildcard(home: Client, top: str) -> None:
    documents = filled(home, top, "/e\u0301")
    data_of(move(home, f"{top}/\u00e9", f"{top}/E\u0301"), 200)
    assert in_folder(home, f"{top}/\u00c9") == documents
    filled(home, top, "/axb/c", "/a_b/c", "/a%b/c")
    data_of(move(home, f"{top}/a_b", f"{top}/moved"), 200)
    assert children(home, top) == {f"{top}/a%b": 1, f"{top}/axb": 1, f"{top}/moved": 1, f"{top}/\u00c9": 1}


def test_a_move_to_an_existing_folder_is_409_and_merges_nothing(home: Client, top: str) -> None:
    documents = filled(home, top, "/a", "/b/c")
    for target in ("/b", "/b/c", "/b/"):
        error_of(move(home, f"{top}/a", top + target), 409, "duplicate_name")
    assert in_folder(home, top) == documents
    assert children(home, top) == {f"{top}/a": 1, f"{top}/b": 1}


def test_a_move_that_cannot_be_made_names_the_wrong_member_and_changes_nothing(
    home: Client, neighbour: Client, top: str
) -> None:
    documents = filled(home, top, "/a/b/c")
    filled(neighbour, top, "/theirs")
    for source in ("/b", "/a/c", "/A", "/theirs", f"/a/{documents[0]}", "/%", "/_"):
        assert wrong_fields(move(home, top + source, f"{top}/z")) == {"from"}, source
    eighteen = top + "/x" * 17  # two levels below "/a" make twenty
    for target in ("/a", "/a/", "/a/b", "/a/new/deep", f"{'/x' * 17}/y", f"{'/x' * 17}/y/y/y"):
        assert wrong_fields(move(home, f"{top}/a", top + target)) == {"to"}, target
    assert in_folder(home, top) == in_folder(home, f"{top}/a/b") == documents
    data_of(move(home, f"{top}/a", eighteen), 200)
    assert in_folder(home, f"{eighteen}/b/c") == documents
    assert in_folder(neighbour, f"{top}/theirs") != []


def test_a_wrong_missing_or_unknown_member_is_named(home: Client) -> None:
    wrong: list[Any] = [None, "", "/", "a", "//", "/a//b", "/..", "/a\x1b", "/a" * 21, 5, True, [], {}, ["/a"]]
    for member, value in (
        *((member, value) for member in ("from", "to") for value in wrong),
        *((member, "/a") for member in ("recursive", "folder", "From", "")),
    ):
        body = {"from": "/nowhere", "to": "/elsewhere", member: value}
        assert wrong_fields(home.patch(FOLDERS, body)) == {member}, repr(value)
    assert wrong_fields(home.patch(FOLDERS, {})) == {"from", "to"}


def test_of_many_moves_of_one_folder_at_once_exactly_one_is_made(home: Client, top: str) -> None:
    documents, source = filled(home, top, "/a", "/a/b"), f"{top}/a"
    for round_ in range(3):
        answers = together([partial(move, home, source, f"{top}/to-{round_}-{number}") for number in range(8)])
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
        (won,) = (data_of(answer, 200) for answer in answers if answer.status_code == 200)
        for answer in answers:
            assert answer.status_code == 200 or wrong_fields(answer) == {"from"}
        source = won["folder"]
        assert in_folder(home, source) == in_folder(home, top) == documents
        assert children(home, top) == {source: 2}


def test_of_many_folders_moved_to_one_path_at_once_exactly_one_arrives(home: Client, top: str) -> None:
    documents = filled(home, top, *(f"/a{number}" for number in range(6)))
    answers = together([partial(move, home, f"{top}/a{number}", f"{top}/to") for number in range(6)])
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert len(in_folder(home, f"{top}/to")) == 1
    assert in_folder(home, top) == documents


def test_two_folders_moved_into_each_other_at_once_do_not_vanish(home: Client, top: str) -> None:
    documents = filled(home, top, "/a", "/b")
    jobs = [partial(move, home, top + source, top + target) for source, target in (("/a", "/b/a"), ("/b", "/a/b"))]
    # The second move finds its folder where it was, and creates its new parent again.
    assert [answer.status_code for answer in together(jobs)] == [200, 200]
    assert in_folder(home, top) == documents
    assert sum(children(home, top).values()) == 2


def test_a_document_recorded_while_its_folder_moves_is_in_the_old_or_the_new_one(home: Client, top: str) -> None:
    filled(home, top, "/a")
    paths = [home.upload() for _ in range(6)]

    def move_source() -> str:
        return str(data_of(move(home, f"{top}/a", f"{top}/z"), 200)["folder"])

    def record(path: str) -> str:
        return str(home.recorded(path, folder=f"{top}/a")["id"])

    jobs: list[Callable[[], str]] = [move_source, *(partial(record, path) for path in paths)]
    moved, *made = together(jobs)
    old, new = in_folder(home, f"{top}/a"), in_folder(home, moved)
    assert set(old) & set(new) == set()
    assert set(made) < set(old + new)
    assert len(old + new) == 7
