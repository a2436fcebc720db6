"""GET /v1/{contacts, companies, …}/{entity_id}/documents: what belongs to something."""

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
    """Four documents of one matter, in the order in which they were linked: not that in which they were made."""
    made = [owner.recorded(name=f"{number}.txt", folder="/case", tags=["t"]) for number in range(4)]
    order = [made[2], made[0], made[3], made[1]]
    for document, role in zip(order, ("evidence", None, "Evidence", "evidence"), strict=True):
        linked_entity(owner, document["id"], entity_id="case", role=role)
        linked_entity(owner, document["id"], entity_id="other")
    return order


def test_the_last_linked_is_first(owner: Client, case: list[dict[str, Any]]) -> None:
    body = listed(owner, path=of("case"))
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["documents"]
    assert body["meta"] == {"page": 1, "per_page": 25, "total": 4}
    assert [row["id"] for row in body["data"]["documents"]] == [document["id"] for document in case[::-1]]


def test_a_row_has_its_nine_members_in_their_order(owner: Client, case: list[dict[str, Any]]) -> None:
    found = rows(owner, path=of("case"))
    for row, document in zip(found, case[::-1], strict=True):
        assert list(row) == ROW
        assert row.items() >= {name: document[name] for name in (*ROW[:6], "created_at")}.items()
        assert timestamp(row["linked_at"]) >= timestamp(document["created_at"])
    assert [row["role"] for row in found] == ["evidence", "Evidence", None, "evidence"]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        *(("role=evidence", [3, 0]), ("role=Evidence", [2]), ("role=evid", []), ("role=%25", []), ("role=null", [])),
        *(("per_page=3", [3, 2, 1]), ("per_page=3&page=2", [0]), ("page=3&per_page=3", []), ("page=1000000000", [])),
        *(("role=evidence&per_page=1&page=2", [0]), ("nothing=1&folder=x&cursor=x", [3, 2, 1, 0])),
    ],
)
def test_a_role_and_a_page_can_be_asked_for(
    owner: Client, case: list[dict[str, Any]], query: str, places: list[int]
) -> None:
    body = listed(owner, query, of("case"))
    assert [row["id"] for row in body["data"]["documents"]] == [case[place]["id"] for place in places]
    total = {"role=evidence": 2, "role=Evidence": 1}.get(query.split("&")[0], 0 if query.startswith("role") else 4)
    assert body["meta"]["total"] == total


@pytest.mark.parametrize(("entity_type", "collection"), COLLECTIONS.items())
def test_each_kind_of_thing_has_a_list_of_its_own(owner: Client, entity_type: str, collection: str) -> None:
    document_id = owner.recorded()["id"]
    linked_entity(owner, document_id, entity_type=entity_type, entity_id=f"own-{entity_type}")
    for each in COLLECTIONS.values():
        found = [row["id"] for row in rows(owner, path=of(f"own-{entity_type}", each))]
        assert found == ([document_id] if each == collection else [])


@pytest.mark.parametrize(
    "entity_id",
    [
        *(
            "a b",
            " ",
            "\u00e9",
            "e\u0301",
            "\U0001f4c4" * 64,
            "%",
            "%2F",
            "%00",
            "a?b",
            "a#b",
            "a&b=c",
            "a+b",
            ";",
            ":@",
        ),
        *("...", "..a", "\\", '"', "'", "<b>", "$1", "{id}", "documents", "*", "~", "\u200b", "\u2028", "A", "a"),
    ],
)
def test_any_id_is_found_by_its_percent_encoding_and_only_itself(owner: Client, entity_id: str) -> None:
    document_id = owner.recorded()["id"]
    linked_entity(owner, document_id, entity_id=entity_id)
    assert [row["id"] for row in rows(owner, path=of(entity_id))] == [document_id]


@pytest.mark.parametrize("sent", [b"%01", b"%7f", b"%C2%85", b"%0A", b"x" * 65, b"%00", b"a%00b", b"%F0%9F%93%84" * 65])
def test_an_id_that_nothing_can_have_is_named(owner: Client, sent: bytes) -> None:
    assert wrong_fields(owner.get(f"/v1/matters/{sent.decode()}/documents")) == {"entity_id"}


@pytest.mark.parametrize("sent", [b".", b"..", b"%2e%2e", b"%2F", b"a%2Fb", b"a/b", b"", b"%2e%2e%2fdocuments"])
def test_slashes_and_dots_are_refused(owner: Client, sent: bytes) -> None:
    headers = [("Authorization", f"Bearer {owner.key}".encode())]
    answer = ask(owner.base_url, "GET", b"/v1/matters/" + sent + b"/documents", headers)
    assert answer is not None
    assert answer.status in {400, 404}


@pytest.mark.parametrize("collection", ["matter", "people", "Matters", "documents", "contact", "folders"])
def test_another_kind_of_thing_is_an_unknown_route(owner: Client, collection: str) -> None:
    error_of(owner.get(f"/v1/{collection}/x/documents"), 404, "not_found")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("page", value) for value in ("0", "-1", "x", "", "1000000001")),
        *(("per_page", value) for value in ("0", "101", "")),
        *(("role", value) for value in ("", "x" * 65, "a%0Ab", "%00", "a&role=a")),
    ],
)
def test_a_malformed_parameter_is_named(owner: Client, parameter: str, value: str) -> None:
    assert wrong_fields(owner.get(f"{of('case')}?{parameter}={value}")) == {parameter}


def test_what_nothing_is_linked_to_has_an_empty_list(owner: Client, neighbour: Client, case: list[Any]) -> None:
    for client, entity_id in ((owner, "nothing"), (neighbour, "case")):
        body = listed(client, path=of(entity_id))
        assert (body["data"]["documents"], body["meta"]["total"]) == ([], 0)


def test_a_row_is_the_document_as_it_is_now_and_goes_with_it(owner: Client) -> None:
    documents = [owner.recorded()["id"] for _ in range(3)]
    ties = [linked_entity(owner, document_id, entity_id="now") for document_id in documents]
    change(owner, documents[0], name="new.txt", folder="/new", tags=["new"])
    row = rows(owner, path=of("now"))[2]
    assert (row["name"], row["folder"], row["tags"]) == ("new.txt", "/new", ["new"])
    deleted(owner, documents[2])
    assert unlink_entity(owner, documents[1], ties[1]["link_id"]).status_code == 204
    body = listed(owner, path=of("now"))
    assert [row["id"] for row in body["data"]["documents"]] == [documents[0]]
    assert body["meta"]["total"] == 1
