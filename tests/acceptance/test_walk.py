"""GET /v1/documents with a cursor: a walk through all documents while other clients create and delete."""

import itertools
from typing import Any

import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, together, wrong_fields
from .documents import DOCUMENTS, change, deleted, ids, listed
from .tenants import Tenants


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    return tenants.client()


@pytest.fixture(scope="module")
def kept(owner: Client) -> list[str]:
    """The ids of twelve documents that stay, the oldest first; every third is a draft."""
    return [owner.recorded(tags=["draft"] if number % 3 == 0 else [])["id"] for number in range(12)]


def pages(client: Client, query: str, cursor: str = "") -> list[list[str]]:
    """Return the ids of every page of a walk from the cursor on."""
    found: list[list[str]] = []
    while True:
        body = listed(client, f"{query}&cursor={cursor}" if cursor else query)
        found.append([row["id"] for row in body["data"]["documents"]])
        if body["meta"]["next_cursor"] is None:
            return found
        cursor = body["meta"]["next_cursor"]
        assert len(found) < 100, "a walk that never ends"


@pytest.mark.parametrize(("per_page", "lengths"), [(5, [5, 5, 2]), (6, [6, 6]), (1, [1] * 12), (100, [12])])
def test_a_walk_sees_every_document_once_newest_first_and_ends(
    owner: Client, kept: list[str], per_page: int, lengths: list[int]
) -> None:
    found = pages(owner, f"per_page={per_page}")
    assert [len(page) for page in found] == lengths
    assert list(itertools.chain(*found)) == kept[::-1]


def test_a_page_of_a_walk_has_the_total_but_no_number(owner: Client, kept: list[str]) -> None:
    first = listed(owner, "per_page=5")
    cursor = first["meta"]["next_cursor"]
    assert first["data"]["documents"][-1]["id"] == f"doc_{cursor}"
    following = listed(owner, f"per_page=5&cursor={cursor}")["meta"]
    assert following.pop("next_cursor")
    assert following == {"page": None, "per_page": 5, "total": 12, "total_is_exact": True}


def test_a_walk_can_begin_at_any_page_and_keeps_its_filters(owner: Client, kept: list[str]) -> None:
    meta = listed(owner, "page=2&per_page=3")["meta"]
    assert ids(owner, f"cursor={meta['next_cursor']}&per_page=100") == kept[5::-1]
    assert listed(owner, "page=4&per_page=3")["meta"]["next_cursor"] is None
    assert pages(owner, "tag=draft&per_page=3") == [kept[9:0:-3], kept[:1]]
    assert pages(owner, "tag=nothing") == [[]]


def test_documents_created_changed_and_deleted_between_two_pages_do_not_disturb_the_walk(
    owner: Client, kept: list[str]
) -> None:
    doomed = [owner.recorded()["id"] for _ in range(9)]
    first = listed(owner, "per_page=5")
    deleted(owner, doomed[8])  # already seen
    deleted(owner, doomed[4])  # the one that the cursor names
    deleted(owner, doomed[3])  # the next one
    owner.recorded()
    change(owner, kept[0], name="changed.txt")
    change(owner, kept[11], name="changed.txt")
    rest = pages(owner, "per_page=4", first["meta"]["next_cursor"])
    seen = [row["id"] for row in first["data"]["documents"]] + list(itertools.chain(*rest))
    assert seen == doomed[:3:-1] + doomed[2::-1] + kept[::-1]
    for left in set(ids(owner, "per_page=100")) - set(kept):
        deleted(owner, left)


def test_walks_see_each_document_that_stays_once_while_other_clients_create_and_delete(
    owner: Client, kept: list[str]
) -> None:
    def walk() -> list[str]:
        return list(itertools.chain(*itertools.chain(*(pages(owner, "per_page=3") for _ in range(3)))))

    def create_and_delete() -> list[str]:
        for _ in range(6):
            deleted(owner, owner.recorded()["id"])
        return []

    for seen in together([walk, create_and_delete, walk, create_and_delete]):
        assert not seen or [found for found in seen if found in kept] == kept[::-1] * 3


def test_a_cursor_excludes_a_later_page(owner: Client, kept: list[str]) -> None:
    cursor = kept[3].removeprefix("doc_")
    assert wrong_fields(owner.get(f"{DOCUMENTS}?cursor={cursor}&page=2")) == {"page"}
    # Page 1 is the default, which many clients always send.
    assert owner.get(f"{DOCUMENTS}?cursor={cursor}&page=1").json() == owner.get(f"{DOCUMENTS}?cursor={cursor}").json()


def test_a_cursor_is_a_place_in_the_list_whether_or_not_it_names_a_document(
    owner: Client, kept: list[str], neighbour: Client
) -> None:
    def after(cursor: str) -> list[Any]:
        return ids(owner, f"cursor={cursor}&per_page=100")

    theirs = neighbour.recorded()["id"].removeprefix("doc_")
    assert after(theirs) == after("7" + "Z" * 25) == kept[::-1]
    assert after(UNKNOWN_DOCUMENT_ID.removeprefix("doc_")) == after("0" * 26) == []
