"""GET /v1/api-keys: which keys there are, and when they were last used."""

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, timestamp
from .client import wrong_fields as wrong
from .keys import KEYS, PERMISSIONS, minted, revoke
from .service import eventually
from .tenants import Tenants

ONE = f"/v1/documents/{UNKNOWN_DOCUMENT_ID}"
ROW = [
    *("id", "prefix", "name", "description", "permissions", "rate_limit_tier", "expires_at", "created_at"),
    *("last_used_at", "revoked_at"),
]


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    """In a workspace that has this one key."""
    return tenants.client("", *PERMISSIONS)


@pytest.fixture(scope="module")
def made(owner: Client) -> list[dict[str, Any]]:
    """Seven more, oldest first; the last one is revoked."""
    names = ["Alpha", "50% off", "a_b", "aXb", "back\\slash", "\u00c4pfel"]
    keys = [minted(owner, name=name) for name in names]
    keys.append(minted(owner, name="alpha two", description="gone", rate_limit_tier="high"))
    assert revoke(owner, keys[-1]["id"]).status_code == 204
    return keys


def listed(client: Client, **query: object) -> dict[str, Any]:
    answer = client.get(f"{KEYS}?{urlencode(query)}" if query else KEYS)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["api_keys"]
    assert list(body["meta"]) == ["page", "per_page", "total"]
    return body


def rows(client: Client, **query: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = listed(client, **query)["data"]["api_keys"]
    return found


def names(client: Client, **query: object) -> set[str]:
    return {row["name"] for row in rows(client, **query)}


def test_a_row_has_the_facts_in_their_order_and_never_the_key(owner: Client, made: list[dict[str, Any]]) -> None:
    found = rows(owner, include_revoked="true")
    by_id = {row["id"]: row for row in found}
    for key in made:
        row = by_id[key["id"]]
        assert list(row) == ROW
        assert {name: row[name] for name in ROW[:8]} == {name: key[name] for name in ROW[:8]}
        assert row["last_used_at"] is None
    text = owner.get(f"{KEYS}?include_revoked=1").text
    assert not any(key["key"][4:] in text for key in made)
    assert (owner.key or "-")[4:] not in text


def test_the_newest_is_first_and_revoked_ones_are_left_out_until_asked_for(
    owner: Client, made: list[dict[str, Any]]
) -> None:
    ids = [key["id"] for key in reversed(made)]
    for query, expected in (
        ({}, ids[1:]),
        ({"include_revoked": "false"}, ids[1:]),
        ({"include_revoked": "0"}, ids[1:]),
        ({"include_revoked": "true"}, ids),
        ({"include_revoked": "1"}, ids),
    ):
        body = listed(owner, **query)
        found = body["data"]["api_keys"]
        assert [row["id"] for row in found][:-1] == expected, query
        assert body["meta"] == {"page": 1, "per_page": 25, "total": len(expected) + 1}
        assert [row["id"] for row in found if row["revoked_at"] is not None] == (ids[:1] if ids == expected else [])
    gone = rows(owner, include_revoked="true")[0]
    assert timestamp(gone["created_at"]) <= timestamp(gone["revoked_at"]) <= datetime.now(UTC)


@pytest.mark.parametrize("per_page", [1, 3, 8, 100])
def test_pages_are_the_list_in_pieces_and_the_one_beyond_is_empty(
    owner: Client, made: list[dict[str, Any]], per_page: int
) -> None:
    whole = rows(owner, include_revoked="true")
    assert len(whole) == len(made) + 1
    pieces: list[dict[str, Any]] = []
    for page in range(1, 10):
        body = listed(owner, include_revoked="true", page=page, per_page=per_page)
        assert body["meta"] == {"page": page, "per_page": per_page, "total": len(whole)}
        assert len(body["data"]["api_keys"]) <= per_page
        pieces += body["data"]["api_keys"]
    assert [row["id"] for row in pieces] == [row["id"] for row in whole]
    assert rows(owner, page=10**6) == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("alpha", {"Alpha", "alpha two"}),
        ("LPH", {"Alpha", "alpha two"}),
        ("alpha ", {"alpha two"}),
        ("%", {"50% off"}),
        ("50%", {"50% off"}),
        ("_", {"a_b"}),
        ("A_B", {"a_b"}),
        ("\\", {"back\\slash"}),
        ("\u00e4PFEL", {"\u00c4pfel"}),
        ("nothing like it", set()),
        ("gone", set()),  # a description is not searched
        ("'", set()),
    ],
)
def test_a_search_finds_a_part_of_the_name_in_any_letter_case(
    owner: Client, made: list[dict[str, Any]], search: str, found: set[str]
) -> None:
    assert names(owner, search=search, include_revoked="true") == found
    body = listed(owner, search=search)
    assert {row["name"] for row in body["data"]["api_keys"]} == found - {"alpha two"}
    assert body["meta"]["total"] == len(found - {"alpha two"})


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("page", value) for value in ("0", "-1", "x", "1.5", "", "1e1", "%EF%BC%91", "+")),
        *(("per_page", value) for value in ("0", "101", "-1", "x", "", "25.0")),
        *(("include_revoked", value) for value in ("2", "yes", "", "null", "truefalse")),
    ],
)
def test_a_malformed_parameter_is_named(owner: Client, parameter: str, value: str) -> None:
    assert wrong(owner.get(f"{KEYS}?{parameter}={value}")) == {parameter}


def test_every_malformed_parameter_is_named_at_once(owner: Client) -> None:
    assert wrong(owner.get(f"{KEYS}?page=0&per_page=x&include_revoked=2")) == {"page", "per_page", "include_revoked"}


def test_another_workspaces_keys_are_not_listed(owner: Client, made: list[dict[str, Any]], manager: Client) -> None:
    theirs = minted(manager)["id"]
    ours = {row["id"] for row in rows(owner, include_revoked="true", per_page=100)}
    assert theirs not in ours
    assert ours.isdisjoint(row["id"] for row in rows(manager, include_revoked="true", per_page=100))


def test_keys_of_the_command_line_are_listed_too(tenants: Tenants, manager: Client) -> None:
    key = tenants.api_key(manager.workspace)
    row = rows(manager)[0]
    assert (row["id"], row["prefix"], row["rate_limit_tier"]) == (key.id, key.key[:8], "unmetered")


def test_the_last_use_is_told_within_seconds_and_written_once_a_minute(tenants: Tenants, manager: Client) -> None:
    key = minted(manager, rate_limit_tier="unmetered")
    client, used = tenants.connect(key["key"]), int(time.time())
    reported: list[str] = []

    def is_told() -> bool:
        row = next(row for row in rows(manager) if row["id"] == key["id"])
        reported.extend([row["last_used_at"]] if row["last_used_at"] else [])
        return bool(reported)

    assert not is_told()
    client.get(ONE)
    eventually(is_told, 10, "last_used_at")
    assert used <= timestamp(reported[0]).timestamp() <= time.time()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        client.get(ONE)
        is_told()
    assert len(set(reported)) <= 2  # a minute may turn
