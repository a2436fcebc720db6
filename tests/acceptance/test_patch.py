"""PATCH /v1/documents/{id}: what is sent changes, and nothing else."""

import json
import re
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
    new_idempotency_key,
    record_of,
    revision_of,
    usage,
)

FULL: dict[str, Any] = {"name": "a.txt", "description": "d", "folder": "/patch/a", "tags": ["a", "b"]}


@pytest.fixture
def document(home: Client, stored: str) -> dict[str, Any]:
    """With something in every member that can be changed."""
    return home.recorded(stored, **FULL)


@pytest.fixture
def untouched(home: Client, document: dict[str, Any]) -> Iterator[str]:
    """The id of a document which must be as it was when the test is over."""
    before = record_of(home, document["id"])
    yield document["id"]
    assert record_of(home, document["id"]) == before
    assert revision_of(home, document["id"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "b.txt"},
        {"description": "another"},
        {"description": ""},
        {"folder": "/patch/b/c"},
        {"tags": ["c"]},
        {"tags": ["b", "a"]},
        {"tags": []},
        {"name": "b.txt", "tags": ["c"], "folder": "/patch", "description": "two\nlines"},
    ],
    ids=str,
)
def test_only_what_is_sent_changes(home: Client, document: dict[str, Any], changes: dict[str, Any]) -> None:
    before = record_of(home, document["id"])
    data = data_of(change(home, document["id"], **changes), 200)
    assert data == before | changes | {"updated_at": data["updated_at"]}
    assert timestamp(data["updated_at"]) >= timestamp(before["updated_at"])
    assert record_of(home, document["id"]) == data
    assert revision_of(home, document["id"]) == 2


def test_null_clears_what_may_be_absent(home: Client, document: dict[str, Any]) -> None:
    data = data_of(change(home, document["id"], description=None, folder=None, tags=None), 200)
    assert (data["description"], data["folder"], data["tags"]) == (None, None, [])
    assert wrong_fields(change(home, document["id"], name=None)) == {"name"}


def test_the_answer_is_the_whole_record_with_its_etag_and_without_a_download(
    home: Client, document: dict[str, Any]
) -> None:
    linked_entity(home, document["id"], entity_id="m-1")
    answer = change(home, document["id"], name="b.txt")
    data = data_of(answer, 200)
    assert list(data) == list(record_of(home, document["id"]))
    assert set(data) == {*MEMBERS, "linked_entities", "sha256"}
    assert data["linked_entities"] == [{"entity_type": "matter", "entity_id": "m-1"}]
    assert re.fullmatch('"[^"]+"', answer.headers["ETag"])
    assert answer.headers["ETag"] == etag_of(home, document["id"])


@pytest.mark.parametrize(
    "changes", [{}, {"name": "a.txt"}, {"tags": [" a", "b", "a"]}, {"folder": "/patch/a/"}, FULL], ids=str
)
def test_what_changes_nothing_leaves_etag_and_time_alone(home: Client, untouched: str, changes: dict[str, Any]) -> None:
    etag = etag_of(home, untouched)
    answer = change(home, untouched, **changes)
    assert data_of(answer, 200) == record_of(home, untouched)
    assert answer.headers["ETag"] == etag


def test_values_are_kept_by_the_rules_of_a_new_document(home: Client, document: dict[str, Any]) -> None:
    sent: dict[str, Any] = {
        "name": "e\u0301",
        "tags": [" x ", "e\u0301", "x"],
        "folder": "/patch/e\u0301/",
        "description": "e\u0301",
    }
    data = data_of(change(home, document["id"], **sent), 200)
    assert (data["name"], data["tags"]) == ("\u00e9", ["x", "\u00e9"])
    assert (data["folder"], data["description"]) == ("/patch/\u00e9", "\u00e9")
    assert data_of(change(home, document["id"], folder="/"), 200)["folder"] is None


def test_without_if_match_the_last_change_wins_and_every_change_is_counted(
    home: Client, document: dict[str, Any]
) -> None:
    for number in range(2, 6):
        answer = change(home, document["id"], name=f"{number}.txt")
        assert answer.headers["ETag"] == f'"{number}"'
    assert record_of(home, document["id"])["name"] == "5.txt"


def test_what_is_changed_is_found_as_it_is_now_and_keeps_its_place(home: Client, document: dict[str, Any]) -> None:
    newer = home.recorded(folder="/patch/place")["id"]
    assert change(home, document["id"], folder="/patch/place/below", tags=["moved"], name="Wombat").status_code == 200
    assert in_folder(home, "/patch/place") == [newer, document["id"]]
    assert document["id"] not in in_folder(home, "/patch/a")
    for query in ("tag=moved", "search=wombat", "search=WOMB&tag=moved&folder=/patch/place/below&recursive=false"):
        assert document["id"] in ids(home, query), query
    assert document["id"] not in ids(home, "tag=a&per_page=100")


def test_what_is_searched_follows_name_and_description_each_by_itself(home: Client, stored: str) -> None:
    document_id = home.recorded(stored, name="Aardvark", description="Bandicoot")["id"]
    for changes, found, lost in (
        ({"name": "Capybara"}, ["CAPYBARA", "bandicoot"], ["aardvark"]),
        ({"description": "two\nDormice"}, ["capybara", "dormice"], ["bandicoot"]),
        ({"name": "Echidna"}, ["echidna", "dormice"], ["capybara"]),
        ({"description": None}, ["echidna"], ["dormice"]),
        ({"tags": ["x"], "folder": "/patch/search"}, ["echidna"], ["dormice", "none"]),
    ):
        data_of(change(home, document_id, **changes), 200)
        assert all(ids(home, f"search={text}") == [document_id] for text in found), changes
        assert all(ids(home, f"search={text}") == [] for text in lost), changes


def test_the_bytes_stay_and_are_downloaded_under_the_new_name(home: Client, document: dict[str, Any]) -> None:
    before = usage(home)
    data_of(change(home, document["id"], name="renamed.txt"), 200)
    answer = home.storage("GET", home.download_url(document["id"]))
    assert answer.content == b"hello"
    assert "renamed.txt" in answer.headers["Content-Disposition"]
    assert usage(home) == before


WRONG: dict[str, list[Any]] = {
    "name": [None, "", " ", 5, True, [], {}, "x" * 256, "a\nb"],
    "description": [5, False, [], {}, "d" * 4097, "a\x1bb"],
    "folder": ["", "a", "//", "/a/../b", 5, [], {}, True, "/x" * 21],
    "tags": ["a", 5, {}, True, [5], [""], [None], ["x" * 65], [f"t{number}" for number in range(51)]],
    **{member: [None, "x"] for member in ("id", "mime_type", "size_bytes", "storage_path", "created_by", "created_at")},
    **{member: [None] for member in ("updated_at", "revision", "linked_entities", "sha256", "Name", "", "from")},
}


@pytest.mark.parametrize(("member", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_or_unknown_member_is_named_and_nothing_is_written(
    home: Client, untouched: str, member: str, value: Any
) -> None:
    assert wrong_fields(change(home, untouched, **{"tags": ["c"], member: value})) == {member}


def test_every_wrong_member_is_named_at_once(home: Client, untouched: str) -> None:
    answer = change(home, untouched, name="", description=5, folder="x", tags="x", id="x")
    assert wrong_fields(answer) == {"name", "description", "folder", "tags", "id"}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "null", "[]", '"a"', "1", '{"name":"b"} x', '{"name":"b",}', "{'name':'b'}"),
        *('{"name":"b","name":"c"}', '{"name":NaN}', r'{"name":"\ud800"}', r'{"name":"a\u0000"}', '\ufeff{"name":"b"}'),
        '{"name":' + "[" * 40 + "]" * 40 + "}",
    ],
)
def test_what_is_no_strict_json_is_400_and_nothing_is_written(home: Client, untouched: str, text: str) -> None:
    error_of(home.patch(document_path(untouched), text.encode()), 400, "validation_error")


def test_another_type_or_too_much_is_refused_and_nothing_is_written(home: Client, untouched: str) -> None:
    body = json.dumps({"name": "b.txt"}).encode()
    for kind in ("text/plain", "application/merge-patch+json", "application/json-patch+json", "x/y"):
        answer = home.patch(document_path(untouched), body, {"Content-Type": kind})
        error_of(answer, 415, "unsupported_media_type")
    error_of(home.patch(document_path(untouched), body + b" " * 70_000), 413, "payload_too_large")
    error_of(home.request("PATCH", document_path(untouched), content=body), 415, "unsupported_media_type")


def test_a_missing_permission_comes_before_everything_and_nothing_is_written(
    home: Client, reader: Client, untouched: str
) -> None:
    for document_id in (untouched, UNKNOWN_DOCUMENT_ID, "x"):
        for body in (b"{}", b"\xff", b" " * 70_000, b'{"name":"b"}'):
            answer = reader.patch(document_path(document_id), body, {"If-Match": "nonsense"})
            assert "write:documents" in error_of(answer, 403, "insufficient_permissions")["message"]


def test_the_body_is_judged_before_the_id(home: Client) -> None:
    for document_id in (UNKNOWN_DOCUMENT_ID, "x"):
        assert wrong_fields(change(home, document_id, name="")) == {"name"}
        error_of(change(home, document_id, name="b"), 404, "not_found")


def test_an_old_receipt_of_the_create_still_tells_the_document_as_it_was(home: Client, stored: str) -> None:
    key = new_idempotency_key()
    first = home.record(stored, key)
    data_of(change(home, data_of(first, 201)["id"], name="b.txt"), 200)
    assert home.record(stored, key).content == first.content


def test_a_change_makes_neither_another_row_nor_another_total(home: Client, document: dict[str, Any]) -> None:
    total = listed(home)["meta"]["total"]
    data_of(change(home, document["id"], name="b.txt"), 200)
    assert listed(home)["meta"]["total"] == total
    assert ids(home, "per_page=100").count(document["id"]) == 1
