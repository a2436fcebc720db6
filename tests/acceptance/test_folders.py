"""GET /v1/folders: where documents are, level by level."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from .client import Client, wrong_fields
from .documents import FOLDERS, change, deleted, in_folder, listed, rows
from .tenants import Tenants

PLACES = ["/b", "/a", "/a/x", "/a/x", "/a/x/deep", "/a/y", "/a b", "/\u00e9", None]


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    """In a workspace of its own, with a document in each of the places."""
    client = tenants.client()
    for folder in PLACES:
        client.recorded(folder=folder)
    return client


def folders(client: Client, parent: str | None = None) -> dict[str, int]:
    """The folders in a folder, and how many documents are in each and below it."""
    found = rows(client, f"per_page=100&parent={quote(parent)}" if parent else "per_page=100", FOLDERS)
    return {row["folder"]: row["documents"] for row in found}


def test_the_folders_at_the_top_are_listed_by_their_code_points_with_what_is_in_and_below_them(owner: Client) -> None:
    body = listed(owner, path=FOLDERS)
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["folders"]
    assert body["meta"] == {"page": 1, "per_page": 25, "total": 4}
    assert all(list(row) == ["folder", "documents"] for row in body["data"]["folders"])
    assert list(folders(owner).items()) == [("/a", 5), ("/a b", 1), ("/b", 1), ("/\u00e9", 1)]
    assert folders(owner, "/") == folders(owner)


@pytest.mark.parametrize(
    ("parent", "children"),
    [
        ("/a", {"/a/x": 3, "/a/y": 1}),
        ("/a/", {"/a/x": 3, "/a/y": 1}),
        ("/a/x", {"/a/x/deep": 1}),
        *((parent, {}) for parent in ("/a/x/deep", "/b", "/A", "/nowhere", "/a/nowhere", "/%", "/_", "/e")),
    ],
)
def test_a_parent_has_the_folders_one_level_below(owner: Client, parent: str, children: dict[str, int]) -> None:
    assert folders(owner, parent) == children


def test_pages_are_the_list_in_pieces(owner: Client) -> None:
    whole = rows(owner, path=FOLDERS)
    pieces: list[dict[str, Any]] = []
    for page in range(1, 4):
        body = listed(owner, f"page={page}&per_page=3", FOLDERS)
        assert body["meta"] == {"page": page, "per_page": 3, "total": 4}
        pieces += body["data"]["folders"]
    assert pieces == whole


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("parent", value) for value in ("", "a", "//", "/a//b", "/..", "/%00", "/a%0Ab", "/a" * 21, "/a&parent=/b")),
        *(("page", value) for value in ("0", "x", "", "1&page=1")),
        *(("per_page", value) for value in ("0", "101", "x")),
    ],
)
def test_a_malformed_parameter_is_named(owner: Client, parameter: str, value: str) -> None:
    assert wrong_fields(owner.get(f"{FOLDERS}?{parameter}={value}")) == {parameter}


def test_counts_follow_the_documents_and_an_empty_folder_stays(home: Client) -> None:
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
