"""Entity links, and the documents of an entity: each route once, end to end. The rules are in tests/domain."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from .client import ULID, Client, data_of, error_of, timestamp
from .documents import (
    COLLECTIONS,
    delete,
    etag_of,
    is_replay,
    link_entity,
    linked_entity,
    listed,
    new_idempotency_key,
    record_of,
    rows,
    unlink_entity,
)

MEMBERS = ["link_id", "document_id", "entity_type", "entity_id", "role", "created_at"]
ROW = ["id", "name", "mime_type", "size_bytes", "folder", "tags", "role", "linked_at", "created_at"]


def of(entity_id: str, collection: str = "matters") -> str:
    return f"/v1/{collection}/{quote(entity_id, safe='')}/documents"


def test_an_entity_link_is_added_shown_replayed_and_removed(home: Client) -> None:
    document_id, key = home.recorded()["id"], new_idempotency_key()
    before, etag = record_of(home, document_id), etag_of(home, document_id)
    answer = link_entity(home, document_id, entity_id="x-1", role="evidence")
    data = data_of(answer, 201)
    assert list(data) == MEMBERS
    assert re.fullmatch(f"dlnk_{ULID}", data["link_id"])
    assert [data[name] for name in MEMBERS[1:5]] == [document_id, "matter", "x-1", "evidence"]
    assert timestamp(data["created_at"]) >= timestamp(before["created_at"])
    assert "Location" not in answer.headers
    assert record_of(home, document_id) == before | {"linked_entities": [{"entity_type": "matter", "entity_id": "x-1"}]}
    assert etag_of(home, document_id) != etag
    again = [link_entity(home, document_id, key, entity_id="x-1", role="final") for _ in range(2)]
    assert [(data_of(each, 200), is_replay(each)) for each in again] == [(data, False), (data, True)]
    removed = unlink_entity(home, document_id, data["link_id"])
    assert (removed.status_code, removed.content) == (204, b"")
    assert not {"Content-Type", "Content-Length"} & set(removed.headers)
    assert record_of(home, document_id) == before
    error_of(unlink_entity(home, document_id, data["link_id"]), 404, "not_found")


@pytest.mark.parametrize(("entity_type", "collection"), COLLECTIONS.items())
def test_each_entity_type_has_a_list_of_its_own(home: Client, entity_type: str, collection: str) -> None:
    document_id = home.recorded()["id"]
    linked_entity(home, document_id, entity_type=entity_type, entity_id=f"own-{entity_type}")
    for each in COLLECTIONS.values():
        found = [row["id"] for row in rows(home, path=of(f"own-{entity_type}", each))]
        assert found == ([document_id] if each == collection else [])


def test_documents_of_an_entity_are_listed_by_role_and_page_newest_link_first(home: Client) -> None:
    made = [home.recorded(name=f"{number}.txt", folder="/case", tags=["t"]) for number in range(4)]
    case = [made[2], made[0], made[3], made[1]]
    for document, role in zip(case, ("evidence", None, "Evidence", "evidence"), strict=True):
        linked_entity(home, document["id"], entity_id="case", role=role)
    body = listed(home, path=of("case"))
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["documents"]
    assert body["meta"] == {"page": 1, "per_page": 25, "total": 4}
    found: list[dict[str, Any]] = body["data"]["documents"]
    assert [row["role"] for row in found] == ["evidence", "Evidence", None, "evidence"]
    for row, document in zip(found, case[::-1], strict=True):
        assert list(row) == ROW
        assert row.items() >= {name: document[name] for name in (*ROW[:6], "created_at")}.items()
        assert timestamp(row["linked_at"]) >= timestamp(document["created_at"])
    for query, places in (("role=evidence&per_page=1&page=2", [0]), ("per_page=3", [3, 2, 1]), ("role=evid", [])):
        assert [row["id"] for row in rows(home, query, of("case"))] == [case[place]["id"] for place in places]
    assert delete(home, case[3]["id"]).status_code == 204
    assert listed(home, path=of("case"))["meta"]["total"] == 3


def test_an_entity_id_is_found_only_by_its_own_percent_encoding(home: Client) -> None:
    for entity_id in ("a b", "\u00e9/\u00fc?#", "\U0001f4c4" * 64, "a%2Fb", "a+b", "...", "https://x/y", "/", "A", "a"):
        document_id = home.recorded()["id"]
        linked_entity(home, document_id, entity_id=entity_id)
        assert [row["id"] for row in rows(home, path=of(entity_id))] == [document_id], entity_id
