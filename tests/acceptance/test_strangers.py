"""Somebody else's documents, links and folders: as good as absent on every route."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .client import UNKNOWN_DOCUMENT_ID, UNKNOWN_LINK_ID, Client, data_of, error_of, without_request_id, wrong_fields
from .documents import (
    FOLDERS,
    TAGS,
    change,
    delete,
    document_path,
    etag_of,
    link_entity,
    linked_entity,
    listed,
    new_idempotency_key,
    record_of,
    unlink_entity,
    usage,
)
from .tenants import Tenants

Route = Callable[[Client, str, str], httpx.Response]

ROUTES: dict[str, Route] = {
    "GET": lambda client, document, _: client.get(document_path(document)),
    "GET without a download": lambda client, document, _: client.get(f"{document_path(document)}?download=false"),
    "PATCH": lambda client, document, _: change(client, document, name="b.txt"),
    "PATCH of nothing": lambda client, document, _: change(client, document),
    "PATCH if it is there": lambda client, document, _: change(client, document, {"If-Match": "*"}, tags=["x"]),
    "PATCH in its state": lambda client, document, _: change(client, document, {"If-Match": '"1"'}, tags=["x"]),
    "PATCH in another state": lambda client, document, _: change(client, document, {"If-Match": '"9"'}, tags=["x"]),
    "DELETE": lambda client, document, _: delete(client, document),
    "DELETE with a key": lambda client, document, _: delete(client, document, new_idempotency_key()),
    "DELETE in its state": lambda client, document, _: delete(client, document, {"If-Match": '"1"'}),
    "DELETE in another state": lambda client, document, _: delete(client, document, {"If-Match": '"9"'}),
    "DELETE with its bytes": lambda client, document, _: delete(client, document, query="?hard=true"),
    "link": lambda client, document, _: link_entity(client, document),
    "link with a key": lambda client, document, _: link_entity(client, document, new_idempotency_key()),
    "link that is there": lambda client, document, _: link_entity(client, document, entity_id="theirs", role="secret"),
    "unlink": unlink_entity,
    "unlink with a key": lambda client, document, tie: unlink_entity(client, document, tie, new_idempotency_key()),
}


@pytest.fixture(scope="module")
def theirs(neighbour: Client) -> dict[str, Any]:
    """A document of the neighbour's, with all it can have, and its `link_id`."""
    members: dict[str, Any] = {"folder": "/theirs/a", "tags": ["theirs"], "name": "theirs.txt", "description": "theirs"}
    document = neighbour.recorded(neighbour.upload(b"theirs"), **members)
    return document | {
        "link_id": linked_entity(neighbour, document["id"], entity_id="theirs", role="secret")["link_id"]
    }


@pytest.fixture(scope="module")
def ours(manager: Client) -> dict[str, Any]:
    document = manager.recorded()
    return document | {"link_id": linked_entity(manager, document["id"])["link_id"]}


@pytest.fixture(scope="module")
def stranger(tenants: Tenants) -> Client:
    """In a workspace where nothing is."""
    return tenants.client()


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES.keys())
def test_foreign_absent_and_malformed_are_answered_alike(
    manager: Client, neighbour: Client, theirs: dict[str, Any], ours: dict[str, Any], route: Route
) -> None:
    before = record_of(neighbour, theirs["id"]), etag_of(neighbour, theirs["id"]), usage(neighbour), usage(manager)
    absent = route(manager, UNKNOWN_DOCUMENT_ID, UNKNOWN_LINK_ID)
    error_of(absent, 404, "not_found")
    sent = [
        *((theirs["id"], theirs["link_id"]), (theirs["id"], UNKNOWN_LINK_ID), (theirs["id"], ours["link_id"])),
        *((theirs["id"].lower(), "x"), ("x", "x"), ("doc_", "dlnk_"), (theirs["storage_path"].split("/")[3], "0")),
        *(("%00", "%00"), ("%ff", "%ff"), ("null", "null"), (theirs["link_id"], theirs["id"])),
    ]
    for document, tie in sent:
        answer = route(manager, document, tie)
        assert answer.status_code == 404, (document, tie)
        assert without_request_id(answer) == without_request_id(absent), (document, tie)
        assert set(answer.headers) == set(absent.headers), (document, tie)
        assert theirs["id"] not in answer.text
    after = record_of(neighbour, theirs["id"]), etag_of(neighbour, theirs["id"]), usage(neighbour), usage(manager)
    assert after == before


def test_the_link_of_anothers_document_is_not_removed_through_ones_own(
    manager: Client, neighbour: Client, theirs: dict[str, Any], ours: dict[str, Any]
) -> None:
    absent = unlink_entity(manager, ours["id"], UNKNOWN_LINK_ID)
    for tie in (theirs["link_id"], "x", "%00"):
        answer = unlink_entity(manager, ours["id"], tie)
        assert answer.status_code == 404
        assert without_request_id(answer) == without_request_id(absent)
    assert len(record_of(neighbour, theirs["id"])["linked_entities"]) == 1
    assert len(record_of(manager, ours["id"])["linked_entities"]) == 1


def test_no_list_of_documents_shows_anothers(stranger: Client, theirs: dict[str, Any]) -> None:
    queries = [
        "tag=theirs",
        "search=theirs",
        "folder=/theirs",
        "folder=/theirs/a&recursive=false",
        "mime_type=text/plain",
    ]
    cursors = [f"cursor={cursor}" for cursor in (theirs["id"].removeprefix("doc_"), "7" + "Z" * 25)]
    for query in ["", "folder=/", "created_after=1970-01-01", *queries, *cursors, f"{queries[0]}&{cursors[1]}"]:
        body = listed(stranger, query)
        assert (body["data"]["documents"], body["meta"]["total"], body["meta"]["next_cursor"]) == ([], 0, None), query


def test_no_other_list_shows_anothers(stranger: Client, theirs: dict[str, Any]) -> None:
    of_matters = "/v1/matters/theirs/documents"
    queries = {of_matters: ["", "role=secret"], FOLDERS: ["", "parent=/", "parent=/theirs"], TAGS: [""]}
    for path, given in queries.items():
        for query in given:
            body = listed(stranger, query, path)
            assert [*body["data"].values()] == [[]], (path, query)
            assert body["meta"]["total"] == 0, (path, query)


def test_anothers_folder_is_not_there_to_be_moved_and_in_nobodys_way(
    manager: Client, neighbour: Client, theirs: dict[str, Any]
) -> None:
    absent = manager.patch(FOLDERS, {"from": "/absent", "to": "/b"})
    foreign = manager.patch(FOLDERS, {"from": "/theirs", "to": "/b"})
    assert wrong_fields(foreign) == wrong_fields(absent) == {"from"}
    assert without_request_id(foreign) == without_request_id(absent)
    manager.recorded(folder="/of-ours/a")
    assert data_of(manager.patch(FOLDERS, {"from": "/of-ours", "to": "/theirs"}), 200)["documents"] == 1
    data_of(manager.patch(FOLDERS, {"from": "/theirs", "to": "/of-ours"}), 200)
    assert record_of(neighbour, theirs["id"])["folder"] == "/theirs/a"


def test_an_idempotency_key_of_anothers_is_free(manager: Client, neighbour: Client) -> None:
    key, doomed, document = new_idempotency_key(), neighbour.recorded()["id"], manager.recorded()["id"]
    assert delete(neighbour, doomed, key).status_code == 204
    answer = link_entity(manager, document, key)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
