"""GET /v1/tags: which tags are in use, and how often."""

from typing import Any

import pytest

from .client import Client, wrong_fields
from .documents import TAGS, change, deleted, listed, rows
from .tenants import Tenants


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    """In a workspace of its own: c three times, a, B and \u00e9 twice, b once."""
    client = tenants.client()
    for tags in (["c", "a"], ["c", "a", "B", "\u00e9"], ["c", "B", "e\u0301", "c"], ["b"], []):
        client.recorded(tags=tags)
    return client


def tags(client: Client) -> list[tuple[str, int]]:
    return [(row["name"], row["count"]) for row in rows(client, "per_page=100", TAGS)]


def test_the_most_frequent_is_first_and_of_equal_ones_that_with_the_lower_code_points(owner: Client) -> None:
    body = listed(owner, path=TAGS)
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["tags"]
    assert body["meta"] == {"page": 1, "per_page": 25, "total": 5}
    assert all(list(row) == ["name", "count"] for row in body["data"]["tags"])
    assert tags(owner) == [("c", 3), ("B", 2), ("a", 2), ("\u00e9", 2), ("b", 1)]


@pytest.mark.parametrize("per_page", [1, 2, 5])
def test_pages_are_the_list_in_pieces(owner: Client, per_page: int) -> None:
    pieces: list[dict[str, Any]] = []
    for page in range(1, 7):
        body = listed(owner, f"page={page}&per_page={per_page}", TAGS)
        assert body["meta"] == {"page": page, "per_page": per_page, "total": 5}
        pieces += body["data"]["tags"]
    assert pieces == rows(owner, path=TAGS)


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=", "per_page=0", "per_page=101", "page=1&page=1"])
def test_a_malformed_parameter_is_named(owner: Client, query: str) -> None:
    assert wrong_fields(owner.get(f"{TAGS}?{query}")) == {query.partition("=")[0]}


def test_counts_follow_the_documents_and_a_tag_that_nobody_has_is_gone(owner: Client) -> None:
    before = tags(owner)
    made = owner.recorded(tags=["new", "c"])["id"]
    assert tags(owner)[0] == ("c", 4)
    assert ("new", 1) in tags(owner)
    change(owner, made, tags=["newer"])
    assert ("newer", 1) in tags(owner)
    assert "new" not in dict(tags(owner))
    deleted(owner, made)
    assert tags(owner) == before
