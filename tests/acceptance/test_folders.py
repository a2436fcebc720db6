"""GET /v1/folders and GET /v1/tags: the folders level by level, and the tags in use, with their counts."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from .client import Client, wrong_fields
from .documents import FOLDERS, TAGS, change, deleted, in_folder, listed, rows
from .tenants import Tenants

PLACES = ["/b", "/a", "/a/x", "/a/x", "/a/x/deep", "/a/y", "/a b", "/\u00e9", None]
TAGGED = [["c", "a"], ["c", "a", "B", "\u00e9"], ["c", "B", "e\u0301", "c"], ["b"], []]


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    """A client in a workspace of its own, with a document in each of PLACES and one with each list of TAGGED."""
    client = tenants.client()
    for place in PLACES:
        client.recorded(folder=place)
    for tagged in TAGGED:
        client.recorded(tags=tagged)
    return client


def folders(client: Client, parent: str | None = None) -> dict[str, int]:
    """Return the folders in a folder, and how many documents are in each and below it."""
    found = rows(client, f"per_page=100&parent={quote(parent)}" if parent else "per_page=100", FOLDERS)
    return {row["folder"]: row["documents"] for row in found}


def tags(client: Client) -> list[tuple[str, int]]:
    return [(row["name"], row["count"]) for row in rows(client, "per_page=100", TAGS)]


def test_the_top_folders_are_listed_by_code_point_with_the_documents_in_and_below_them(owner: Client) -> None:
    body = listed(owner, path=FOLDERS)
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["folders"]
    assert list(body["meta"].items()) == [("page", 1), ("per_page", 25), ("total", 4)]
    assert all(list(row) == ["folder", "documents"] for row in body["data"]["folders"])
    assert list(folders(owner).items()) == [("/a", 5), ("/a b", 1), ("/b", 1), ("/\u00e9", 1)]
    assert folders(owner, "/") == folders(owner)


def test_a_parent_has_the_folders_one_level_below(owner: Client) -> None:
    assert folders(owner, "/a") == folders(owner, "/a/") == {"/a/x": 3, "/a/y": 1}
    assert folders(owner, "/a/x") == {"/a/x/deep": 1}
    for parent in ("/a/x/deep", "/b", "/A", "/nowhere", "/a/nowhere", "/%", "/_", "/e"):
        assert folders(owner, parent) == {}


def test_the_most_frequent_tag_is_first_and_equal_counts_are_in_code_point_order(owner: Client) -> None:
    body = listed(owner, path=TAGS)
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["tags"]
    assert list(body["meta"].items()) == [("page", 1), ("per_page", 25), ("total", 5)]
    assert all(list(row) == ["name", "count"] for row in body["data"]["tags"])
    assert tags(owner) == [("c", 3), ("B", 2), ("a", 2), ("\u00e9", 2), ("b", 1)]


@pytest.mark.parametrize(("path", "total"), [(FOLDERS, 4), (TAGS, 5)])
def test_pages_divide_the_list(owner: Client, path: str, total: int) -> None:
    pieces: list[dict[str, Any]] = []
    for page in range(1, 4):
        body = listed(owner, f"page={page}&per_page=3", path)
        assert body["meta"] == {"page": page, "per_page": 3, "total": total}
        (found,) = body["data"].values()
        pieces += found
    assert pieces == rows(owner, path=path)


def test_a_wrong_parameter_is_named(owner: Client) -> None:
    for value in ("", "a", "//", "/a//b", "/..", "/%00", "/a%0Ab", "/a" * 21, "/a&parent=/b"):
        assert wrong_fields(owner.get(f"{FOLDERS}?parent={value}")) == {"parent"}, value
    for path in (FOLDERS, TAGS):
        for query in ("page=0", "page=x", "page=", "page=1&page=1", "per_page=0", "per_page=101"):
            assert wrong_fields(owner.get(f"{path}?{query}")) == {query.partition("=")[0]}, query


def test_folder_counts_follow_the_documents_and_an_empty_folder_stays(home: Client) -> None:
    top = f"/{uuid4()}"
    made = [home.recorded(folder=f"{top}/a/b")["id"] for _ in range(2)]
    assert folders(home, top) == {f"{top}/a": 2}
    change(home, made[0], folder=f"{top}/a/c")
    assert folders(home, f"{top}/a") == {f"{top}/a/b": 1, f"{top}/a/c": 1}
    change(home, made[0], folder=None)
    deleted(home, made[1])
    assert folders(home, top) == {f"{top}/a": 0}
    assert folders(home, f"{top}/a") == {f"{top}/a/b": 0, f"{top}/a/c": 0}
    assert in_folder(home, top) == []


def test_a_refused_document_leaves_no_folder(owner: Client) -> None:
    before = folders(owner)
    taken = owner.recorded()["storage_path"]
    assert owner.record(taken, folder="/refused/a").status_code == 409
    assert owner.record(owner.sign_upload().storage_path, folder="/refused/b").status_code == 400
    assert folders(owner) == before


def test_tag_counts_follow_the_documents_and_an_unused_tag_is_gone(owner: Client) -> None:
    before = tags(owner)
    made = owner.recorded(tags=["new", "c"])["id"]
    assert tags(owner)[0] == ("c", 4)
    assert ("new", 1) in tags(owner)
    change(owner, made, tags=["newer"])
    assert ("newer", 1) in tags(owner)
    assert "new" not in dict(tags(owner))
    deleted(owner, made)
    assert tags(owner) == before
