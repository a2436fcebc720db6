"""GET /v1/documents: the list, its filters and its pages. The rules of a filter are proven in tests/contracts."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest

from .client import MEMBERS, Client, timestamp, wrong_fields
from .documents import DOCUMENTS, deleted, listed, rows
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


def found(owner: Client, shelf: dict[str, dict[str, Any]], query: str) -> list[str]:
    """Return the labels of the documents that a query finds, which must be as many as `total`."""
    labels = {document["id"]: label for label, document in shelf.items()}
    body = listed(owner, query)
    names = [labels[row["id"]] for row in body["data"]["documents"]]
    assert body["meta"]["total"] == len(names)
    assert body["meta"]["total_is_exact"] is True
    return names


def test_without_filters_every_record_is_listed_as_it_was_answered_newest_first(
    owner: Client, shelf: dict[str, dict[str, Any]]
) -> None:
    answer = owner.get(DOCUMENTS)
    body = answer.json()
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["documents"]
    assert body["data"]["documents"] == list(shelf.values())[::-1]
    assert all(list(row) == MEMBERS for row in body["data"]["documents"])
    assert list(body["meta"]) == ["page", "per_page", "total", "total_is_exact", "next_cursor"]
    assert list(body["meta"].values()) == [1, 25, 5, True, None]
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("folder=/clients", {"nda", "deed", "scan"}),
        ("folder=%2Fclients%2Facme/&recursive=true", {"nda", "deed"}),
        ("folder=/clients/acme&recursive=false", {"nda"}),
        ("folder=/clients&recursive=0", set()),
        ("folder=/Clients", {"other"}),
        ("folder=/clients/acm_", set()),
        ("folder=/&recursive=1", set(SHELF)),
        ("folder=/&recursive=false", {"apples"}),
        ("tag=nda&tag=nda", {"nda", "other"}),
        ("tag=nda&tag=legal", {"nda"}),
        ("tag=NDA", {"other"}),
        ("tag=%20nda%09", {"nda", "other"}),
        ("tag=nda,legal", set()),
        ("mime_type=application/pdf", {"nda", "deed"}),
        ("mime_type=image/jpeg", set()),
        ("search=acme", {"nda"}),  # a folder is not searched
        ("search=conFIDENtial", {"nda"}),
        ("search=deed_of_sale", {"deed"}),
        ("search=50%25", {"nda"}),
        ("search=%C3%A4PFEL", {"apples"}),
        ("search=a%CC%88pfel", {"apples"}),
        ("search=%5C", {"apples"}),
        ("search=de?d", set()),
        ("search='", set()),
        ("search=", set(SHELF)),
        ("folder=/clients&tag=legal&mime_type=application/pdf&search=sale&created_after=2026-01-01", {"deed"}),
        ("folder=/clients&tag=legal&mime_type=application/pdf&search=sale&recursive=false", set()),
        ("tag=nda&created_after=2999-01-01", set()),
        # An unknown parameter is ignored.
        *((query, set(SHELF)) for query in ("nothing=1", "Page=0", "tags=scan", "%FF=%FF", "=", "&&", "sort=a&sort=b")),
    ],
)
def test_a_query_finds_what_passes_all_its_filters(
    owner: Client, shelf: dict[str, dict[str, Any]], query: str, labels: set[str]
) -> None:
    assert found(owner, shelf, query) == [label for label in reversed(SHELF) if label in labels]


def test_created_after_is_inclusive_and_takes_any_offset(owner: Client, shelf: dict[str, dict[str, Any]]) -> None:
    first, last = (timestamp(shelf[label]["created_at"]) for label in ("nda", "other"))
    india = timezone(timedelta(hours=5, minutes=30))
    for time in (
        *(f"{first:%Y-%m-%dT%H:%M:%S}{offset}" for offset in ("Z", "z", ".000Z", "-00:00")),
        *(first.astimezone(india).isoformat(), f"{first:%Y-%m-%d}", "0001-01-01T00:00:00Z"),
    ):
        assert len(found(owner, shelf, f"created_after={quote(time)}")) == 5, time
    for when in (last + timedelta(seconds=1), datetime.now(UTC) + timedelta(days=1)):
        assert found(owner, shelf, f"created_after={quote(when.isoformat())}") == []
    assert found(owner, shelf, "created_after=9999-12-31") == []


@pytest.mark.parametrize("per_page", [1, 2, 5, 100])
def test_pages_divide_the_list_and_a_page_beyond_the_end_is_empty(
    owner: Client, shelf: dict[str, dict[str, Any]], per_page: int
) -> None:
    pieces: list[dict[str, Any]] = []
    for page in range(1, 7):
        body = listed(owner, f"page={page}&per_page={per_page}")
        assert len(body["data"]["documents"]) == max(0, min(per_page, 5 - (page - 1) * per_page))
        assert body["meta"].items() >= {"page": page, "per_page": per_page, "total": 5}.items()
        pieces += body["data"]["documents"]
    assert pieces == rows(owner)
    assert rows(owner, f"page={10**9}&per_page=100") == []
    assert [row["id"] for row in rows(owner, "tag=legal&page=2&per_page=1")] == [shelf["nda"]["id"]]


WRONG = {
    "page": ["0", "-1", "x", "1.5", "", "1e1", "%EF%BC%91", "+1", "1000000001", "9" * 400, "1&page=1"],
    "per_page": ["0", "101", "x", "", "25.0", "1&per_page=1"],
    "folder": ["", "a", "//", "/a//b", "/..", "/a%00", "/%E2%80%AE", "/" + "x" * 256, "/a" * 21, "/a&folder=/a"],
    "recursive": ["", "2", "yes", "TRUE", "null", "true,false", "false"],  # false needs a folder
    "tag": ["", "%20", "x" * 65, "a%00b", "a%0Ab", "&tag=".join(f"t{n}" for n in range(51))],
    "mime_type": ["", "pdf", "*/*", "image/", "text/plain,text/html", "a/b&mime_type=a/b"],
    "search": ["%00", "a%0Ab", "x" * 256, "a&search=a"],
    "created_after": [
        *("", "yesterday", "2026-02-30", "2026-1-1", "20260101", "1776422700", "2026-04-17T10:45:00"),
        *("2026-04-17T24:00:00Z", "2026-04-17T10:45:00+02:00", "2026-04-17T10:45:00%2B24:00", "0000-01-01"),
        *("9999-12-31T23:59:59-23:59", "%EF%BC%92026-04-17", "2026-04-17&created_after=2026-04-17"),
    ],
    "cursor": [
        *("", "x", "0", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fav", "8" + "0" * 25, "%00"),
        "01ARZ3NDEKTSV4RRFFQ69G5FAV&cursor=01ARZ3NDEKTSV4RRFFQ69G5FAV",
    ],
}


@pytest.mark.parametrize(("parameter", "values"), WRONG.items(), ids=WRONG)
def test_a_wrong_parameter_is_named(owner: Client, parameter: str, values: list[str]) -> None:
    for value in values:
        assert wrong_fields(owner.get(f"{DOCUMENTS}?{parameter}={value}")) == {parameter}, value


def test_every_wrong_parameter_is_named_at_once(owner: Client) -> None:
    query = "&".join(f"{name}={values[1]}" for name, values in WRONG.items())
    assert wrong_fields(owner.get(f"{DOCUMENTS}?{query}")) == set(WRONG)


def test_recursive_true_needs_no_folder_because_it_is_the_default(owner: Client) -> None:
    assert owner.get(f"{DOCUMENTS}?recursive=true").json() == owner.get(DOCUMENTS).json()
