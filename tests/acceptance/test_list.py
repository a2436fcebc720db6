"""GET /v1/documents: the list, its filters, pages and cursor, end to end. tests/contracts proves each filter."""

from datetime import timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest

from .client import MEMBERS, Client, timestamp
from .documents import DOCUMENTS, deleted, ids, listed, rows
from .tenants import Tenants

SHELF: dict[str, dict[str, Any]] = {
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
    "scan": {"name": "scan 50x.png", "mime_type": "image/png", "folder": "/clients/acmexyz", "tags": ["scan"]},
    "apples": {"name": "\u00c4pfel.txt", "description": "back\\slash"},
    "other": {"name": "deedXofXsale.txt", "folder": "/Clients", "tags": ["NDA", "nda"]},
}
"""Members of documents by label, the oldest first."""


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    return tenants.client()


@pytest.fixture(scope="module")
def shelf(owner: Client) -> dict[str, dict[str, Any]]:
    """The recorded documents of SHELF, by their labels. One more is deleted."""
    recorded = {label: owner.recorded(**members) for label, members in SHELF.items()}
    deleted(owner, owner.recorded(folder="/clients/acme", tags=["legal"])["id"])
    return recorded


def test_without_filters_every_record_is_listed_as_it_was_answered_newest_first(
    owner: Client, shelf: dict[str, dict[str, Any]]
) -> None:
    answer = owner.get(DOCUMENTS)
    body = answer.json()
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["documents"]
    assert body["data"]["documents"] == list(shelf.values())[::-1]
    assert all(list(row) == MEMBERS for row in body["data"]["documents"])
    assert list(body["meta"].items()) == [
        *(("page", 1), ("per_page", 25), ("total", 5), ("total_is_exact", True), ("next_cursor", None))
    ]
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("folder=%2Fclients%2Facme/&recursive=true", {"nda", "deed"}),
        ("folder=/clients/acme&recursive=false", {"nda"}),
        ("folder=/&recursive=0", {"apples"}),
        ("recursive=true", set(SHELF)),  # the default, so it needs no folder
        ("tag=nda&tag=legal", {"nda"}),
        ("tag=%20nda%09", {"nda", "other"}),
        ("mime_type=application/pdf", {"nda", "deed"}),
        ("search=50%25", {"nda"}),
        ("search=a%CC%88pfel", {"apples"}),
        ("search=", set(SHELF)),
        ("folder=/clients&tag=legal&mime_type=application/pdf&search=sale&created_after=2026-01-01", {"deed"}),
        ("tag=nda&created_after=2999-01-01", set()),
        ("search=NDA%20acme", {"nda"}),
        ('search="of+sale"', set()),
        ("search=apfel", {"apples"}),
        ("created_before=2999-01-01&created_after=2026-01-01", set(SHELF)),
        ("created_before=2026-01-01", set()),
        ("&&", set(SHELF)),
    ],
)
def test_a_query_finds_what_passes_all_its_filters(
    owner: Client, shelf: dict[str, dict[str, Any]], query: str, labels: set[str]
) -> None:
    body = listed(owner, query)
    assert body["data"]["documents"] == [shelf[label] for label in reversed(SHELF) if label in labels]
    assert (body["meta"]["total"], body["meta"]["total_is_exact"]) == (len(labels), True)


def test_created_after_is_inclusive_and_takes_any_offset(owner: Client, shelf: dict[str, dict[str, Any]]) -> None:
    first, last = (timestamp(shelf[label]["created_at"]) for label in ("nda", "other"))
    india = timezone(timedelta(hours=5, minutes=30))
    for time in (
        *(f"{first:%Y-%m-%dT%H:%M:%S}{offset}" for offset in ("Z", "z", ".000Z", "-00:00")),
        *(first.astimezone(india).isoformat(), f"{first:%Y-%m-%d}", "0001-01-01T00:00:00Z"),
    ):
        assert len(rows(owner, f"created_after={quote(time)}")) == 5, time
    assert rows(owner, f"created_after={quote((last + timedelta(seconds=1)).isoformat())}") == []


@pytest.mark.parametrize("per_page", [1, 2, 5])
def test_pages_and_a_walk_divide_the_list_and_a_page_beyond_the_end_is_empty(
    owner: Client, shelf: dict[str, dict[str, Any]], per_page: int
) -> None:
    newest_first = [document["id"] for document in shelf.values()][::-1]
    paged: list[str] = []
    for page in range(1, 7):
        body = listed(owner, f"page={page}&per_page={per_page}")
        assert body["meta"].items() >= {"page": page, "per_page": per_page, "total": 5}.items()
        paged += [row["id"] for row in body["data"]["documents"]]
    assert paged == newest_first
    walked, cursor = ids(owner, f"per_page={per_page}"), listed(owner, f"per_page={per_page}")["meta"]["next_cursor"]
    while cursor is not None:
        body = listed(owner, f"per_page={per_page}&cursor={cursor}")
        assert body["meta"].items() >= {"page": None, "per_page": per_page, "total": 5}.items()
        walked += [row["id"] for row in body["data"]["documents"]]
        cursor = body["meta"]["next_cursor"]
        assert len(walked) <= 5, "a walk that never ends"
    assert walked == newest_first
    assert rows(owner, f"page={10**9}&per_page=100") == []
