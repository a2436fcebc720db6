"""PATCH /v1/documents/{id}, end to end, and If-Match on PATCH and DELETE (RFC 9110 13.1.1).

The rules of members are in tests/domain, those of a change and its races in tests/contracts and tests/workers.
"""

from typing import Any

import pytest

from .client import MEMBERS, Client, data_of, error_of, timestamp, wrong_fields
from .documents import (
    change,
    delete,
    document_path,
    etag_of,
    ids,
    in_folder,
    is_replay,
    linked_entity,
    new_idempotency_key,
    record_of,
    usage,
)

FULL: dict[str, Any] = {"name": "a.txt", "description": "d", "folder": "/patch/a", "tags": ["a", "b"]}


@pytest.fixture
def document(home: Client, stored: str) -> dict[str, Any]:
    """A document with a value in every member that can be changed."""
    return home.recorded(stored, **FULL)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"name": "e\u0301"}, {"name": "\u00e9"}),
        ({"tags": []}, {"tags": []}),
        ({"folder": "/"}, {"folder": None}),
        (dict.fromkeys(("description", "folder", "tags")), {"description": None, "folder": None, "tags": []}),
        *(({**FULL, "folder": "/patch", "tags": ["b", "a"], "description": "two\nlines"},) * 2,),
    ],
    ids=str,
)
def test_only_the_members_that_are_sent_change(
    home: Client, document: dict[str, Any], sent: dict[str, Any], kept: dict[str, Any]
) -> None:
    linked_entity(home, document["id"])
    before, before_etag = record_of(home, document["id"]), etag_of(home, document["id"])
    answer = change(home, document["id"], **sent)
    data = data_of(answer, 200)
    assert data == before | kept | {"updated_at": data["updated_at"]}
    assert timestamp(data["updated_at"]) >= timestamp(before["updated_at"])
    assert list(data) == [*MEMBERS[:8], "linked_entities", *MEMBERS[8:], "sha256"]
    read = home.get(f"{document_path(document['id'])}?download=false")
    assert (answer.content, answer.headers["ETag"]) == (read.content, read.headers["ETag"])
    assert answer.headers["ETag"] != before_etag


def test_lists_searches_and_downloads_show_the_changed_document_in_its_old_place(
    home: Client, document: dict[str, Any]
) -> None:
    newer, used = home.recorded(folder="/patch/place")["id"], usage(home)
    data_of(change(home, document["id"], folder="/patch/place/below", tags=["moved"], name="Wombat.txt"), 200)
    assert in_folder(home, "/patch/place") == [newer, document["id"]]
    assert document["id"] not in in_folder(home, "/patch/a")
    assert ids(home, "tag=moved&search=wombat") == [document["id"]]
    answer = home.storage("GET", home.download_url(document["id"]))
    assert answer.content == b"hello"
    assert "Wombat.txt" in answer.headers["Content-Disposition"]
    assert usage(home) == used


def test_a_current_state_in_if_match_lets_a_change_and_a_delete_through(home: Client) -> None:
    document_id = home.recorded()["id"]
    for revision, headers in enumerate(
        [
            [("If-Match", '"1"')],
            [("If-Match", "*")],
            [("If-Match", 'W/"3", "3"')],
            [("If-Match", '"x"'), ("If-Match", '"4"')],
        ],
        start=2,
    ):
        assert change(home, document_id, headers, name=f"{revision}.txt").headers["ETag"] == f'"{revision}"'
    key = new_idempotency_key()
    error_of(delete(home, document_id, key | {"If-Match": '"1"'}), 412, "precondition_failed")
    for replayed in (False, True):
        answer = delete(home, document_id, key | {"If-Match": '"5"'})
        assert (answer.status_code, is_replay(answer)) == (204, replayed)


def test_another_state_in_if_match_is_412_a_malformed_one_400_and_nothing_is_written(
    home: Client, document: dict[str, Any]
) -> None:
    data_of(change(home, document["id"], name="second.txt"), 200)
    before, etag = record_of(home, document["id"]), etag_of(home, document["id"])
    for changes in ({"name": "b.txt"}, {"name": "second.txt"}, None):

        def answer(value: str, changes: dict[str, Any] | None = changes) -> Any:
            headers = {"If-Match": value}
            if changes is None:
                return delete(home, document["id"], headers)
            return change(home, document["id"], headers, **changes)

        for value in ('"2"', '"3"', '"x"', '""', 'W/"2"', '"1", "3"', '"1,2"', '"' + "9" * 5000 + '"'):
            error_of(answer(value), 412, "precondition_failed")
        for value in ("", "2", '"2', "'2'", '"2" "3"', 'w/"2"', '*, "2"', '"2"; "3"'):
            assert wrong_fields(answer(value)) == {"If-Match"}, value
    assert record_of(home, document["id"]) == before
    assert etag_of(home, document["id"]) == etag
