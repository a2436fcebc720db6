"""GET /v1/documents: the list, its filters, pages and cursor, end to end.

Each filter is proven by tests/contracts/test_search.py, how a query is read by tests/domain/test_lists.py.
"""

from typing import Any

import pytest

from .client import MEMBERS, Client
from .documents import DOCUMENTS, deleted, ids, listed
from .tenants import Tenants

Shelf = dict[str, dict[str, Any]]

SHELF: Shelf = {
    "nda": {
        "name": "Acme NDA.pdf",
        "description": "Confidential\nand 50% off",
        "mime_type": "application/pdf",
        "folder": "/clients/acme",
        "tags": ["nda", "legal"],
    },
    "deed": {
        "name": "deed_of_sale.PDF",
        "mime_type": "application/pdf",
        "folder": "/clients/acme/deeds",
        "tags": ["legal"],
    },
    "apples": {"name": "\u00c4pfel.txt", "description": "back\\slash"},
    "other": {"name": "deedXofXsale.txt", "folder": "/Clients", "tags": ["NDA", "nda"]},
}
"""The members of each document, by its label in these tests. The oldest document comes first."""


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    return tenants.client()


@pytest.fixture(scope="module")
def shelf(owner: Client) -> Shelf:
    """The recorded documents of SHELF, by their labels. One more is deleted."""
    recorded = {label: owner.recorded(**members) for label, members in SHELF.items()}
    deleted(owner, owner.recorded(folder="/clients/acme", tags=["legal"])["id"])
    return recorded


def test_the_unfiltered_list_has_every_record_newest_first(owner: Client, shelf: Shelf) -> None:
    answer = owner.get(DOCUMENTS)
    body = answer.json()
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["documents"]
    assert body["data"]["documents"] == list(shelf.values())[::-1]
    assert all(list(row) == MEMBERS for row in body["data"]["documents"])
    assert list(body["meta"].items()) == [
        *(("page", 1), ("per_page", 25), ("total", 4), ("total_is_exact", True), ("next_cursor", None))
    ]
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("folder=%2Fclients%2Facme/&recursive=true", {"nda", "deed"}),
        ("tag=nda&tag=legal", {"nda"}),
        ("search=50%25", {"nda"}),
        ('search="of+sale"', set()),
        ("folder=/clients&tag=legal&mime_type=application/pdf&search=sale&created_after=2026-01-01", {"deed"}),
        ("created_after=2999-01-01T00:00:00%2B05:30", set()),
        ("&&", set(SHELF)),
    ],
)
def test_a_query_finds_what_passes_every_filter(owner: Client, shelf: Shelf, query: str, labels: set[str]) -> None:
    body = listed(owner, query)
    assert body["data"]["documents"] == [shelf[label] for label in reversed(SHELF) if label in labels]
    assert (body["meta"]["total"], body["meta"]["total_is_exact"]) == (len(labels), True)


def test_pages_and_cursors_divide_the_list_without_overlap(owner: Client, shelf: Shelf) -> None:
    newest_first = [document["id"] for document in shelf.values()][::-1]
    for page, expected in ((1, newest_first[:3]), (2, newest_first[3:]), (10**9, [])):
        body = listed(owner, f"page={page}&per_page=3")
        assert body["meta"].items() >= {"page": page, "per_page": 3, "total": 4}.items()
        assert [row["id"] for row in body["data"]["documents"]] == expected
    cursor = listed(owner, "per_page=3")["meta"]["next_cursor"]
    # Many generated clients always send the number of the first page.
    rest = listed(owner, f"per_page=3&cursor={cursor}&page=1")
    assert rest["meta"].items() >= {"page": None, "per_page": 3, "total": 4, "next_cursor": None}.items()
    assert ids(owner, "per_page=3") + [row["id"] for row in rest["data"]["documents"]] == newest_first
