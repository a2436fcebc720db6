"""Folders and tags on the wire."""

from typing import Any

import pytest

from tests.http.conftest import Api


async def folders(api: Api, query: str = "") -> dict[str, int]:
    """The folders that a list has, and how many documents are in them."""
    answer = await api.http.get(f"/v1/folders{query}")
    assert answer.status_code == 200, answer.text
    return {row["folder"]: row["documents"] for row in answer.json()["data"]["folders"]}


async def test_folders_have_the_members_of_the_contract_in_its_order(api: Api) -> None:
    await api.recorded(folder="/a/b")
    body = (await api.http.get("/v1/folders")).json()
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["folders"]
    assert list(body["data"]["folders"][0].items()) == [("folder", "/a"), ("documents", 1)]
    assert list(body["meta"].items()) == [("page", 1), ("per_page", 25), ("total", 1)]


async def test_a_parent_has_the_folders_one_level_below_it(api: Api) -> None:
    for folder in ("/b", "/a/b/c", "/a/d", "/a", None):
        await api.recorded(folder=folder)
    assert await folders(api) == await folders(api, "?parent=/") == {"/a": 3, "/b": 1}
    assert await folders(api, "?parent=/a") == {"/a/b": 1, "/a/d": 1}
    assert await folders(api, "?parent=/a&page=2&per_page=1") == {"/a/d": 1}
    assert await folders(api, "?parent=/nowhere") == {}


async def test_an_empty_folder_stays(api: Api) -> None:
    id_ = (await api.recorded(folder="/a"))["id"]
    await api.http.patch(f"/v1/documents/{id_}", json={"folder": "/b"})
    assert await folders(api) == {"/a": 0, "/b": 1}


async def test_a_folder_is_moved_with_everything_below_it(api: Api) -> None:
    deep = (await api.recorded(folder="/a/b/c"))["id"]
    beside = (await api.recorded(folder="/a/bc"))["id"]
    answer = await api.http.patch("/v1/folders", json={"from": "/a/b", "to": "/x/y/"})
    assert answer.status_code == 200
    assert list(answer.json()) == ["data"]
    assert list(answer.json()["data"].items()) == [("folder", "/x/y"), ("documents", 1)]
    moved = await api.http.get(f"/v1/documents/{deep}?download=false")
    assert (moved.json()["data"]["folder"], moved.headers["ETag"]) == ("/x/y/c", '"1"')
    assert (await api.http.get(f"/v1/documents/{beside}")).json()["data"]["folder"] == "/a/bc"
    assert await folders(api) == {"/a": 1, "/x": 1}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["from", "to"]),
        ({"from": None, "to": "/"}, ["from", "to"]),
        ({"from": "/", "to": "/b"}, ["from"]),
        ({"from": "/a", "to": "b"}, ["to"]),
        ({"from": "/nowhere", "to": "/b"}, ["from"]),
        ({"from": "/a", "to": "/a"}, ["to"]),
        ({"from": "/a", "to": "/a/b"}, ["to"]),
        ({"from": "/a", "to": "/b", "x": 1}, ["x"]),
        ({"from": "/a", "to": "/b" * 20}, ["to"]),
    ],
    ids=str,
)
async def test_a_move_that_cannot_be_names_what_is_wrong(api: Api, body: dict[str, Any], fields: list[str]) -> None:
    await api.recorded(folder="/a/c")
    answer = await api.http.patch("/v1/folders", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
    assert list(answer.json()["error"]["details"]["fields"]) == fields
    assert await folders(api) == {"/a": 1}


async def test_a_folder_that_is_there_is_409(api: Api) -> None:
    for folder in ("/a", "/b"):
        await api.recorded(folder=folder)
    answer = await api.http.patch("/v1/folders", json={"from": "/a", "to": "/b"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "duplicate_name")
    assert "folder" in answer.json()["error"]["message"]
    assert "details" not in answer.json()["error"]


async def test_tags_have_a_name_and_a_count_the_most_frequent_first(api: Api) -> None:
    for tags in (["b", "ä"], ["b"], ["a"]):
        await api.recorded(tags=tags)
    body = (await api.http.get("/v1/tags")).json()
    assert list(body) == ["data", "meta"]
    assert body["data"] == {
        "tags": [{"name": "b", "count": 2}, {"name": "a", "count": 1}, {"name": "ä", "count": 1}],
    }
    assert list(body["data"]["tags"][0]) == ["name", "count"]
    assert list(body["meta"].items()) == [("page", 1), ("per_page", 25), ("total", 3)]
    second = (await api.http.get("/v1/tags?page=2&per_page=2")).json()
    assert (second["data"], second["meta"]["total"]) == ({"tags": [{"name": "ä", "count": 1}]}, 3)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("folders?page=0", "page"),
        ("folders?parent=a", "parent"),
        ("folders?parent=/a&parent=/b", "parent"),
        ("folders?parent=", "parent"),
        ("tags?per_page=0", "per_page"),
        ("tags?page=1&page=1", "page"),
    ],
)
async def test_a_wrong_parameter_is_named(api: Api, path: str, parameter: str) -> None:
    answer = await api.http.get(f"/v1/{path}")
    assert (answer.status_code, list(answer.json()["error"]["details"]["fields"])) == (400, [parameter])


async def test_permissions_come_before_anything_that_is_sent(api: Api) -> None:
    reader, writer = await api.key("read:documents"), await api.key("write:documents")
    for answer, permission in (
        (await api.http.patch("/v1/folders", content=b"{", headers=reader), "write:documents"),
        (await api.http.get("/v1/folders?page=0", headers=writer), "read:documents"),
        (await api.http.get("/v1/tags?page=0", headers=writer), "read:documents"),
    ):
        assert answer.status_code == 403
        assert permission in answer.json()["error"]["message"]
