"""GET /v1/{contacts, companies, …}/{entity_id}/documents: the documents of an entity."""

from typing import Any
from urllib.parse import quote

import pytest

from .client import Client, error_of, timestamp, wrong_fields
from .documents import COLLECTIONS, change, deleted, linked_entity, listed, rows, unlink_entity
from .raw import ask
from .tenants import Tenants

ROW = ["id", "name", "mime_type", "size_bytes", "folder", "tags", "role", "linked_at", "created_at"]


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    return tenants.client()


def of(entity_id: str, collection: str = "matters") -> str:
    return f"/v1/{collection}/{quote(entity_id, safe='')}/documents"


@pytest.fixture(scope="module")
def case(owner: Client) -> list[dict[str, Any]]:
    """Four documents of one matter in the order of their links, which is not the order of their creation."""
    made = [owner.recorded(name=f"{number}.txt", folder="/case", tags=["t"]) for number in range(4)]
    order = [made[2], made[0], made[3], made[1]]
    for document, role in zip(order, ("evidence", None, "Evidence", "evidence"), strict=True):
        linked_entity(owner, document["id"], entity_id="case", role=role)
        linked_entity(owner, document["id"], entity_id="other")
    return order


def test_the_rows_have_nine_members_and_the_last_link_is_first(owner: Client, case: list[dict[str, Any]]) -> None:
    body = listed(owner, path=of("case"))
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["documents"]
    assert body["meta"] == {"page": 1, "per_page": 25, "total": 4}
    found = body["data"]["documents"]
    for row, document in zip(found, case[::-1], strict=True):
        assert list(row) == ROW
        assert row.items() >= {name: document[name] for name in (*ROW[:6], "created_at")}.items()
        assert timestamp(row["linked_at"]) >= timestamp(document["created_at"])
    assert [row["role"] for row in found] == ["evidence", "Evidence", None, "evidence"]


@pytest.mark.parametrize(
    ("query", "places", "total"),
    [
        *(("role=evidence", [3, 0], 2), ("role=Evidence", [2], 1), ("role=evid", [], 0), ("role=%25", [], 0)),
        *(("per_page=3", [3, 2, 1], 4), ("per_page=3&page=2", [0], 4), ("page=1000000000", [], 4)),
        *(("role=evidence&per_page=1&page=2", [0], 2), ("nothing=1&folder=x&cursor=x", [3, 2, 1, 0], 4)),
    ],
)
def test_a_role_and_a_page_select(
    owner: Client, case: list[dict[str, Any]], query: str, places: list[int], total: int
) -> None:
    body = listed(owner, query, of("case"))
    assert [row["id"] for row in body["data"]["documents"]] == [case[place]["id"] for place in places]
    assert body["meta"]["total"] == total


@pytest.mark.parametrize(("entity_type", "collection"), COLLECTIONS.items())
def test_each_entity_type_has_a_list_of_its_own(owner: Client, entity_type: str, collection: str) -> None:
    document_id = owner.recorded()["id"]
    linked_entity(owner, document_id, entity_type=entity_type, entity_id=f"own-{entity_type}")
    for each in COLLECTIONS.values():
        found = [row["id"] for row in rows(owner, path=of(f"own-{entity_type}", each))]
        assert found == ([document_id] if each == collection else [])


def test_an_unknown_entity_type_is_an_unknown_route(owner: Client) -> None:
    for collection in ("matter", "people", "Matters", "documents", "folders"):
        error_of(owner.get(f"/v1/{collection}/x/documents"), 404, "not_found")


def test_an_entity_id_is_found_by_its_percent_encoding_and_only_there(owner: Client) -> None:
    for entity_id in (
        *("a b", " ", "\u00e9", "e\u0301", "\U0001f4c4" * 64, "%", "%2F", "%00", "a?b", "a#b", "a&b=c", "a+b"),
        *(";", ":@", "...", "..a", "\\", '"', "'", "<b>", "{id}", "documents", "*", "~", "\u200b", "\u2028", "A", "a"),
    ):
        document_id = owner.recorded()["id"]
        linked_entity(owner, document_id, entity_id=entity_id)
        assert [row["id"] for row in rows(owner, path=of(entity_id))] == [document_id], entity_id


def test_an_entity_id_that_no_entity_link_can_have_is_named(owner: Client) -> None:
    for sent in ("%01", "%7f", "%C2%85", "%0A", "x" * 65, "%00", "a%00b", "%F0%9F%93%84" * 65, "%2E%2E", "%2E"):
        assert wrong_fields(owner.get(f"/v1/matters/{sent}/documents")) == {"entity_id"}, sent


@pytest.mark.server
def test_slashes_and_dots_in_the_address_are_refused(owner: Client) -> None:
    for sent in (b".", b"..", b"%2e%2e", b"%2F", b"a%2Fb", b"a/b", b"", b"%2e%2e%2fdocuments"):
        headers = [("Authorization", f"Bearer {owner.key}".encode())]
        answer = ask(owner.base_url, "GET", b"/v1/matters/" + sent + b"/documents", headers)
        assert answer is not None
        assert answer.status in {400, 404}


def test_a_wrong_parameter_is_named(owner: Client) -> None:
    for parameter, values in {
        "page": ("0", "-1", "x", "", "1000000001"),
        "per_page": ("0", "101", ""),
        "role": ("", "x" * 65, "a%0Ab", "%00", "a&role=a"),
    }.items():
        for value in values:
            assert wrong_fields(owner.get(f"{of('case')}?{parameter}={value}")) == {parameter}, value


def test_an_entity_without_documents_has_an_empty_list(owner: Client, neighbour: Client, case: list[Any]) -> None:
    for client, entity_id in ((owner, "nothing"), (neighbour, "case")):
        body = listed(client, path=of(entity_id))
        assert (body["data"]["documents"], body["meta"]["total"]) == ([], 0)


def test_a_row_shows_the_document_as_it_is_now_and_goes_with_it(owner: Client) -> None:
    documents = [owner.recorded()["id"] for _ in range(3)]
    links = [linked_entity(owner, document_id, entity_id="now") for document_id in documents]
    change(owner, documents[0], name="new.txt", folder="/new", tags=["new"])
    row = rows(owner, path=of("now"))[2]
    assert (row["name"], row["folder"], row["tags"]) == ("new.txt", "/new", ["new"])
    deleted(owner, documents[2])
    assert unlink_entity(owner, documents[1], links[1]["link_id"]).status_code == 204
    body = listed(owner, path=of("now"))
    assert [row["id"] for row in body["data"]["documents"]] == [documents[0]]
    assert body["meta"]["total"] == 1
