"""GET /v1/documents: which documents there are, and which of them pass a filter."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest

from .client import MEMBERS, Client, timestamp, wrong_fields
from .documents import DOCUMENTS, listed, rows
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
"""From the oldest to the newest."""


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    return tenants.client()


@pytest.fixture(scope="module")
def shelf(owner: Client) -> dict[str, dict[str, Any]]:
    return {label: owner.recorded(**members) for label, members in SHELF.items()}


def found(owner: Client, shelf: dict[str, dict[str, Any]], query: str) -> list[str]:
    """The labels of what a query finds, as many as `total` says."""
    labels = {document["id"]: label for label, document in shelf.items()}
    body = listed(owner, query)
    names = [labels[row["id"]] for row in body["data"]["documents"]]
    assert body["meta"]["total"] == len(names)
    assert body["meta"]["total_is_exact"] is True
    return names


def test_without_filters_all_are_listed_the_newest_first(owner: Client, shelf: dict[str, dict[str, Any]]) -> None:
    assert found(owner, shelf, "") == list(SHELF)[::-1]


def test_a_row_is_the_record_as_it_was_answered_when_it_was_made(
    owner: Client, shelf: dict[str, dict[str, Any]]
) -> None:
    answer = owner.get(DOCUMENTS)
    assert answer.json()["data"]["documents"] == list(shelf.values())[::-1]
    pairs = json.loads(answer.text, object_pairs_hook=list)
    assert [name for name, _ in pairs] == ["data", "meta"]
    assert [name for name, _ in pairs[0][1]] == ["documents"]
    for row in pairs[0][1][0][1]:
        assert [name for name, _ in row] == MEMBERS


def test_meta_says_which_page_it_is_and_of_how_many(owner: Client, shelf: dict[str, dict[str, Any]]) -> None:
    meta = listed(owner)["meta"]
    assert list(meta)[:3] == ["page", "per_page", "total"]
    assert meta == {"page": 1, "per_page": 25, "total": 5, "total_is_exact": True, "next_cursor": None}


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("folder=/clients", {"nda", "deed", "scan"}),
        ("folder=/clients/acme", {"nda", "deed"}),
        ("folder=/clients/acme/", {"nda", "deed"}),
        ("folder=%2Fclients%2Facme&recursive=true", {"nda", "deed"}),
        ("folder=/clients/acme&recursive=false", {"nda"}),
        ("folder=/clients&recursive=0", set()),
        ("folder=/Clients", {"other"}),
        ("folder=/clients/ac", set()),
        ("folder=/clients/%25", set()),
        ("folder=/clients/acm_", set()),
        ("folder=/", set(SHELF)),
        ("folder=/&recursive=1", set(SHELF)),
        ("folder=/&recursive=false", {"apples"}),
        ("tag=legal", {"nda", "deed"}),
        ("tag=nda", {"nda", "other"}),
        ("tag=nda&tag=nda", {"nda", "other"}),
        ("tag=nda&tag=legal", {"nda"}),
        ("tag=legal&tag=nda&tag=scan", set()),
        ("tag=NDA", {"other"}),
        ("tag=%20nda%09", {"nda", "other"}),
        ("tag=nd", set()),
        ("tag=%25", set()),
        ("tag=nda,legal", set()),
        ("mime_type=application/pdf", {"nda", "deed"}),
        ("mime_type=image/png", {"scan"}),
        ("mime_type=image/jpeg", set()),
    ],
)
def test_a_filter_finds_what_it_names(
    owner: Client, shelf: dict[str, dict[str, Any]], query: str, labels: set[str]
) -> None:
    assert found(owner, shelf, query) == [label for label in reversed(SHELF) if label in labels]


@pytest.mark.parametrize(
    ("search", "labels"),
    [
        ("acme", {"nda"}),  # a folder is not searched
        ("ACME nda", {"nda"}),
        ("conFIDENtial", {"nda"}),
        ("deed", {"deed", "other"}),
        ("deed_", {"deed"}),
        ("deed_of_sale", {"deed"}),
        ("_", {"deed"}),
        ("%", {"nda"}),
        ("50%", {"nda"}),
        ("50", {"nda", "scan"}),
        ("\u00e4PFEL", {"apples"}),
        ("a\u0308pfel", {"apples"}),
        ("\\", {"apples"}),
        ("back\\slash", {"apples"}),
        (".pdf", {"nda", "deed"}),
        ("*", set()),
        ("de?d", set()),
        ("'", set()),
        ("pdfConf", set()),
        ("nothing like it", set()),
        ("", set(SHELF)),
    ],
)
def test_a_search_finds_a_part_of_name_or_description_in_any_letter_case_and_no_character_is_a_wildcard(
    owner: Client, shelf: dict[str, dict[str, Any]], search: str, labels: set[str]
) -> None:
    assert set(found(owner, shelf, f"search={quote(search)}")) == labels


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("folder=/clients&tag=legal&mime_type=application/pdf&search=sale", {"deed"}),
        ("folder=/clients&tag=legal&mime_type=application/pdf&search=sale&recursive=false", set()),
        ("folder=/clients&tag=legal&mime_type=application/pdf&search=Sale&created_after=2026-01-01", {"deed"}),
        ("folder=/clients&tag=legal&mime_type=image/png", set()),
        ("tag=nda&search=deed", {"other"}),
        ("tag=nda&created_after=2999-01-01", set()),
    ],
)
def test_filters_together_find_what_passes_all_of_them(
    owner: Client, shelf: dict[str, dict[str, Any]], query: str, labels: set[str]
) -> None:
    assert set(found(owner, shelf, query)) == labels


def test_created_after_takes_what_was_made_at_that_very_time_too(
    owner: Client, shelf: dict[str, dict[str, Any]]
) -> None:
    first, last = (timestamp(shelf[label]["created_at"]) for label in ("nda", "other"))
    india = timezone(timedelta(hours=5, minutes=30))
    for time in (
        *(f"{first:%Y-%m-%dT%H:%M:%S}{offset}" for offset in ("Z", "z", ".000Z", "+00:00", "-00:00")),
        *(first.astimezone(zone).isoformat() for zone in (india, timezone(-timedelta(hours=12)))),
        *(f"{first:%Y-%m-%d}", "1970-01-01", "0001-01-01T00:00:00Z"),
    ):
        assert len(found(owner, shelf, f"created_after={quote(time)}")) == 5, time
    second = timedelta(seconds=1)
    for when in (last + second, datetime.now(UTC) + timedelta(days=1)):
        assert found(owner, shelf, f"created_after={quote(when.isoformat())}") == []
    assert found(owner, shelf, f"created_after={last + timedelta(days=1):%Y-%m-%d}") == []
    assert found(owner, shelf, "created_after=9999-12-31") == []


@pytest.mark.parametrize("per_page", [1, 2, 5, 100])
def test_pages_are_the_list_in_pieces_and_the_one_beyond_is_empty(
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
    "page": ["0", "-1", "x", "1.5", "", "1e1", "%EF%BC%91", "+1", "1000000001", "9" * 400],
    "per_page": ["0", "101", "-1", "x", "", "25.0"],
    "folder": ["", "a", "a/b", "//", "/a//b", "/..", "/./a", "/a%00", "/%E2%80%AE", "/" + "x" * 256, "/a" * 21],
    "tag": ["", "%20", "x" * 65, "a%00b", "a%0Ab"],
    "mime_type": ["", "pdf", "*/*", "image/", "text/plain,text/html"],
    "search": ["%00", "a%0Ab", "x" * 256],
    "created_after": [
        *("", "yesterday", "2026-02-30", "2026-13-01", "2026-1-1", "20260101", "0", "1776422700", "2026-04-17T10:45"),
        *("2026-04-17T10:45:00", "2026-04-17T24:00:00Z", "2026-04-17T10:45:00+02:00", "2026-04-17%2010:45:00Z"),
        *("2026-04-17T10:45:00%2B24:00", "0000-01-01", "9999-12-31T23:59:59-23:59", "%EF%BC%92026-04-17"),
    ],
    "cursor": ["", "x", "0", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fav", "8" + "0" * 25, "%00"],
}


@pytest.mark.parametrize(("parameter", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_malformed_parameter_is_named(owner: Client, parameter: str, value: str) -> None:
    assert wrong_fields(owner.get(f"{DOCUMENTS}?{parameter}={value}")) == {parameter}


@pytest.mark.parametrize("value", ["", "2", "yes", "TRUE", "null", "true,false"])
def test_a_malformed_recursive_is_named(owner: Client, value: str) -> None:
    assert wrong_fields(owner.get(f"{DOCUMENTS}?folder=/a&recursive={value}")) == {"recursive"}


def test_a_folder_alone_has_to_be_named(owner: Client) -> None:
    assert wrong_fields(owner.get(f"{DOCUMENTS}?recursive=false")) == {"recursive"}
    # The default, which many a client always sends.
    assert owner.get(f"{DOCUMENTS}?recursive=true").json() == owner.get(DOCUMENTS).json()


@pytest.mark.parametrize("name", ["page", "per_page", "search", "folder", "mime_type", "created_after", "cursor"])
def test_a_parameter_other_than_tag_is_given_once(owner: Client, name: str) -> None:
    assert wrong_fields(owner.get(f"{DOCUMENTS}?{name}=1&{name}=1")) == {name}


def test_more_tags_than_a_document_can_have_are_refused(owner: Client) -> None:
    assert rows(owner, "&".join(f"tag=t{number}" for number in range(50))) == []
    assert wrong_fields(owner.get(f"{DOCUMENTS}?" + "&".join(f"tag=t{number}" for number in range(51)))) == {"tag"}


def test_every_malformed_parameter_is_named_at_once(owner: Client) -> None:
    query = "&".join(f"{name}={values[1]}" for name, values in WRONG.items())
    assert wrong_fields(owner.get(f"{DOCUMENTS}?{query}")) == set(WRONG)


@pytest.mark.parametrize("query", ["nothing=1", "Page=0", "tags=scan", "%FF=%FF", "=", "&&", "order=asc", "folders=/a"])
def test_an_unknown_parameter_is_ignored(owner: Client, shelf: dict[str, dict[str, Any]], query: str) -> None:
    assert found(owner, shelf, query) == list(SHELF)[::-1]
