"""API keys over HTTP: creation, list, revocation, and their refusals.

tests/domain/test_api_keys.py proves the rules, tests/contracts/test_api_keys.py the races, and
tests/app/test_api_key_cache.py that a revocation holds within a second.
"""

import re
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from .client import ULID, UNKNOWN_DOCUMENT_ID, Client, data_of, error_of, timestamp
from .documents import document_path, listed, rows
from .keys import KEYS, PERMISSIONS, mint, minted, revoke
from .service import eventually
from .tenants import Tenants

LISTED = [
    *("id", "prefix", "name", "description", "permissions", "rate_limit_tier", "expires_at", "created_at"),
    *("last_used_at", "revoked_at"),
]
MEMBERS = ["id", "key", *LISTED[1:8]]


def test_a_new_api_key_is_shown_once_and_works_at_once_for_its_workspace(tenants: Tenants, manager: Client) -> None:
    before = time.time()
    permissions = ["write:documents", "read:documents", "write:documents"]
    answer = mint(manager, name="CI", permissions=permissions, expires_at="2999-01-01T00:30:00+02:00")
    data = data_of(answer, 201)
    assert list(data) == MEMBERS
    assert re.fullmatch(f"key_{ULID}", data["id"])
    assert re.fullmatch("wbk_[0-9A-Za-z]{38}", data["key"])
    assert data["prefix"] == data["key"][:8]
    assert data["permissions"] == ["read:documents", "write:documents"]
    assert (data["name"], data["description"], data["rate_limit_tier"]) == ("CI", None, "standard")
    assert data["expires_at"] == "2998-12-31T22:30:00Z"
    assert int(before) <= timestamp(data["created_at"]).timestamp() <= time.time()
    assert "Location" not in answer.headers
    assert data["key"] not in manager.get(KEYS).text
    document = tenants.connect(data["key"]).recorded()
    assert data_of(manager.get(document_path(document["id"])), 200)["name"] == document["name"]
    assert document["created_by"] == manager.recorded()["created_by"]


def test_api_keys_are_listed_newest_first_and_the_last_administrator_cannot_be_revoked(tenants: Tenants) -> None:
    owner = tenants.client("", *PERMISSIONS)
    (row,) = rows(owner, path=KEYS)
    own = str(row["id"])
    made: list[dict[str, Any]] = [minted(owner, name=name, description=name) for name in ("Alpha", "50% off", "gone")]
    assert revoke(owner, made[-1]["id"]).status_code == 204
    ids = [*(api_key["id"] for api_key in reversed(made)), own]
    queries: list[tuple[dict[str, str], list[str]]] = [
        *(({}, ids[1:]), ({"include_revoked": "true"}, ids), ({"search": "0% O"}, [made[1]["id"]])),
    ]
    for query, expected in queries:
        body = listed(owner, urlencode(query), KEYS)
        assert [row["id"] for row in body["data"]["api_keys"]] == expected, query
        assert body["meta"] == {"page": 1, "per_page": 25, "total": len(expected)}
    for row, api_key in zip(rows(owner, "include_revoked=1", KEYS), reversed(made), strict=False):
        assert list(row) == LISTED
        assert {name: row[name] for name in LISTED[:8]} == {name: api_key[name] for name in LISTED[:8]}
        assert (row["description"], row["last_used_at"]) == (row["name"], None)
        assert (row["revoked_at"] is not None) == (row["name"] == "gone")
    refused = error_of(revoke(owner, own), 403, "insufficient_permissions")
    assert "admin:api_keys" in refused["message"]


@pytest.mark.parametrize("way", ["by the API", "by the operator"])
def test_a_revoked_api_key_is_soon_401(tenants: Tenants, manager: Client, way: str) -> None:
    api_key = minted(manager, rate_limit_tier="unmetered")
    client, unknown = tenants.connect(api_key["key"], admitted=False), document_path(UNKNOWN_DOCUMENT_ID)
    assert client.get(unknown).status_code == 404
    if way == "by the API":
        for answer in [revoke(manager, api_key["id"]) for _ in range(2)]:
            assert (answer.status_code, answer.content) == (204, b"")
            assert {"content-type", "content-length"}.isdisjoint(answer.headers)
    else:
        tenants.operator.revoke_api_key(api_key["id"])
    eventually(lambda: client.get(unknown).status_code == 401, 10, "401 for the revoked API key")
    assert manager.get(unknown).status_code == 404
