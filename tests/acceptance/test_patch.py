"""PATCH /v1/documents/{id}: the members that are sent change, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from .client import MEMBERS, UNKNOWN_DOCUMENT_ID, Client, data_of, error_of, timestamp, wrong_fields
from .documents import (
    change,
    document_path,
    etag_of,
    ids,
    in_folder,
    linked_entity,
    listed,
    record_of,
    revision_of,
    usage,
)

FULL: dict[str, Any] = {"name": "a.txt", "description": "d", "folder": "/patch/a", "tags": ["a", "b"]}


@pytest.fixture
def document(home: Client, stored: str) -> dict[str, Any]:
    """A document with a value in every member that can be changed."""
    return home.recorded(stored, **FULL)


@pytest.fixture
def untouched(home: Client, document: dict[str, Any]) -> Iterator[str]:
    """The id of a document that the test must leave as it was."""
    before = record_of(home, document["id"])
    yield document["id"]
    assert record_of(home, document["id"]) == before
    assert revision_of(home, document["id"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "b.txt"},
        {"description": ""},
        {"folder": "/patch/b/c"},
        {"tags": ["b", "a"]},
        {"tags": []},
        {"name": "b.txt", "tags": ["c"], "folder": "/patch", "description": "two\nlines"},
    ],
    ids=str,
)
def test_only_the_members_that_are_sent_change(home: Client, document: dict[str, Any], changes: dict[str, Any]) -> None:
    before = record_of(home, document["id"])
    data = data_of(change(home, document["id"], **changes), 200)
    assert data == before | changes | {"updated_at": data["updated_at"]}
    assert timestamp(data["updated_at"]) >= timestamp(before["updated_at"])
    assert revision_of(home, document["id"]) == 2


def test_null_clears_every_optional_member(home: Client, document: dict[str, Any]) -> None:
    data = data_of(change(home, document["id"], description=None, folder=None, tags=None), 200)
    assert (data["description"], data["folder"], data["tags"]) == (None, None, [])


def test_the_answer_is_the_record_as_a_read_without_download_shows_it(home: Client, document: dict[str, Any]) -> None:
    linked_entity(home, document["id"], entity_id="m-1")
    answer = change(home, document["id"], name="b.txt")
    read = home.get(f"{document_path(document['id'])}?download=false")
    assert answer.status_code == 200
    assert (answer.content, answer.headers["ETag"]) == (read.content, read.headers["ETag"])
    assert list(read.json()["data"]) == [*MEMBERS[:8], "linked_entities", *MEMBERS[8:], "sha256"]


@pytest.mark.parametrize(
    "changes", [{}, {"name": "a.txt"}, {"tags": [" a", "b", "a"]}, {"folder": "/patch/a/"}, FULL], ids=str
)
def test_a_patch_without_a_change_leaves_etag_and_time_alone(
    home: Client, untouched: str, changes: dict[str, Any]
) -> None:
    etag = etag_of(home, untouched)
    answer = change(home, untouched, **changes)
    assert data_of(answer, 200) == record_of(home, untouched)
    assert answer.headers["ETag"] == etag


def test_values_obey_the_rules_of_a_new_document(home: Client, document: dict[str, Any]) -> None:
    decomposed, composed = "e\u0301", "\u00e9"
    sent: dict[str, Any] = {"name": decomposed, "tags": [" x ", decomposed, "x"], "folder": f"/patch/{decomposed}/"}
    data = data_of(change(home, document["id"], **sent), 200)
    assert (data["name"], data["tags"], data["folder"]) == (composed, ["x", composed], f"/patch/{composed}")
    assert data_of(change(home, document["id"], folder="/"), 200)["folder"] is None


def test_without_if_match_the_last_change_wins(home: Client, document: dict[str, Any]) -> None:
    for number in range(2, 6):
        answer = change(home, document["id"], name=f"{number}.txt")
        assert answer.headers["ETag"] == f'"{number}"'
    assert record_of(home, document["id"])["name"] == "5.txt"


def test_lists_and_searches_show_the_changed_document_in_its_old_place(home: Client, document: dict[str, Any]) -> None:
    newer, total = home.recorded(folder="/patch/place")["id"], listed(home)["meta"]["total"]
    changes: dict[str, Any] = {
        "folder": "/patch/place/below",
        "tags": ["moved"],
        "name": "Wombat",
        "description": "two\nDormice",
    }
    assert change(home, document["id"], **changes).status_code == 200
    assert in_folder(home, "/patch/place") == [newer, document["id"]]
    assert document["id"] not in in_folder(home, "/patch/a")
    for query in ("tag=moved", "search=wombat", "search=dormice&tag=moved&folder=/patch/place/below&recursive=false"):
        assert ids(home, query) == [document["id"]], query
    assert document["id"] not in ids(home, "tag=a&per_page=100")
    data_of(change(home, document["id"], name="Echidna"), 200)
    assert ids(home, "search=wombat") == []
    assert ids(home, "search=dormice") == ids(home, "search=echidna") == [document["id"]]
    assert listed(home)["meta"]["total"] == total


def test_the_bytes_stay_and_are_downloaded_under_the_new_name(home: Client, document: dict[str, Any]) -> None:
    before = usage(home)
    data_of(change(home, document["id"], name="renamed.txt"), 200)
    answer = home.storage("GET", home.download_url(document["id"]))
    assert answer.content == b"hello"
    assert "renamed.txt" in answer.headers["Content-Disposition"]
    assert usage(home) == before


WRONG: dict[str, list[Any]] = {
    "name": [None, "", 5, "x" * 256, "a\nb"],
    "description": [5, [], "d" * 4097, "a\x1bb"],
    "folder": ["", "a", "/a/../b", 5, "/x" * 21],
    "tags": ["a", 5, [5], [""], [f"t{number}" for number in range(51)]],
    **{member: [None, "x"] for member in ("id", "mime_type", "size_bytes", "storage_path", "created_by", "updated_at")},
    **{member: [None] for member in ("revision", "linked_entities", "sha256", "Name", "", "from")},
}


@pytest.mark.parametrize(("member", "values"), WRONG.items(), ids=WRONG)
def test_a_wrong_or_unknown_member_is_named_and_changes_nothing(
    home: Client, untouched: str, member: str, values: list[Any]
) -> None:
    for value in values:
        assert wrong_fields(change(home, untouched, **{"tags": ["c"], member: value})) == {member}, repr(value)


def test_every_wrong_member_is_named_at_once(home: Client, untouched: str) -> None:
    answer = change(home, untouched, name="", description=5, folder="x", tags="x", id="x")
    assert wrong_fields(answer) == {"name", "description", "folder", "tags", "id"}


def test_permission_comes_before_the_headers_the_headers_before_the_body_and_the_body_before_the_id(
    home: Client, reader: Client, untouched: str
) -> None:
    for document_id in (untouched, UNKNOWN_DOCUMENT_ID, "x"):
        for body in (b"\xff", b" " * 70_000):
            answer = reader.patch(document_path(document_id), body, {"If-Match": "nonsense"})
            assert "write:documents" in error_of(answer, 403, "insufficient_permissions")["message"]
        assert wrong_fields(change(home, document_id, {"If-Match": "nonsense"}, name="")) == {"If-Match"}
        assert wrong_fields(change(home, document_id, {"If-Match": '"7"'}, name="")) == {"name"}
    for document_id in (UNKNOWN_DOCUMENT_ID, "x"):
        error_of(change(home, document_id, name="b"), 404, "not_found")
