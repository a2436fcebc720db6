"""Folders and tags: each route once, end to end. The rules and the races of a move are in tests/contracts."""

from urllib.parse import quote
from uuid import uuid4

import pytest

from .client import Client, data_of, error_of, wrong_fields
from .documents import FOLDERS, TAGS, change, in_folder, listed, record_of, rows
from .tenants import Tenants

PLACES = ["/b", "/a", "/a/x", "/a/x/deep", "/\u00e9", None]
TAGGED = [["c", "a"], ["c", "B", "e\u0301", "c"], []]


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
    """Return the folders in a folder, each with the number of documents in it and below it."""
    found = rows(client, f"per_page=100&parent={quote(parent)}" if parent else "per_page=100", FOLDERS)
    return {row["folder"]: row["documents"] for row in found}


@pytest.mark.parametrize(
    ("path", "members", "wanted"),
    [
        (FOLDERS, ["folder", "documents"], [("/a", 3), ("/b", 1), ("/\u00e9", 1)]),
        (TAGS, ["name", "count"], [("c", 2), ("B", 1), ("a", 1), ("\u00e9", 1)]),
    ],
)
def test_folders_and_tags_are_listed_in_order_with_their_counts_page_by_page(
    owner: Client, path: str, members: list[str], wanted: list[tuple[str, int]]
) -> None:
    body = listed(owner, path=path)
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == [path.removeprefix("/v1/")]
    assert list(body["meta"].items()) == [("page", 1), ("per_page", 25), ("total", len(wanted))]
    found = rows(owner, path=path)
    assert all(list(row) == members for row in found)
    assert [tuple(row.values()) for row in found] == wanted
    assert [rows(owner, f"page={page}&per_page=2", path) for page in (1, 2, 3)] == [found[:2], found[2:4], found[4:]]


def test_a_folder_is_moved_with_everything_below_it_and_no_bytes_change(home: Client) -> None:
    top = f"/{uuid4()}"
    documents = [home.recorded(folder=top + below)["id"] for below in ("/a", "/a/b", "/ab")]
    before, url = record_of(home, documents[1]), home.download_url(documents[1])
    answer = home.patch(FOLDERS, {"from": f"{top}/a", "to": f"{top}/new/z/"})
    assert list(answer.json()["data"].items()) == [
        ("folder", f"{top}/new/z"),
        ("documents", 2),
        ("documents_is_exact", True),
    ]
    assert in_folder(home, f"{top}/new/z") == documents[1::-1]
    assert folders(home, top) == {f"{top}/ab": 1, f"{top}/new": 2}
    assert record_of(home, documents[1]) == before | {"folder": f"{top}/new/z/b"}
    for address in (url, home.download_url(documents[1])):
        assert home.storage("GET", address).content == b"hello"


def test_only_a_folder_without_documents_is_deleted_with_the_folders_below_it(home: Client) -> None:
    top = f"/{uuid4()}"
    document_id = home.recorded(folder=f"{top}/a/b")["id"]
    for folder in (top, f"{top}/a", f"{top}/a/b"):
        error_of(home.delete(f"{FOLDERS}?folder={folder}"), 409, "in_use")
    data_of(change(home, document_id, folder=f"{top}/c"), 200)
    answer = home.delete(f"{FOLDERS}?folder={top}/a")
    assert (answer.status_code, answer.content) == (204, b"")
    assert folders(home, top) == {f"{top}/c": 1}
    assert wrong_fields(home.delete(f"{FOLDERS}?folder={top}/a")) == {"folder"}
