"""API keys: what is made and refused, when one begins and ceases to work, lists, and the last administrator."""

import re
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest

from .client import (
    OMIT,
    ULID,
    UNKNOWN_DOCUMENT_ID,
    Client,
    data_of,
    error_of,
    timestamp,
    together,
    wrong_fields,
)
from .documents import document_path
from .keys import KEYS, PERMISSIONS, has_checksum, mint, minted, on_the_wire, revoke, wanted
from .service import eventually
from .tenants import Tenants

UNKNOWN_DOCUMENT = document_path(UNKNOWN_DOCUMENT_ID)
LISTED = [
    *("id", "prefix", "name", "description", "permissions", "rate_limit_tier", "expires_at", "created_at"),
    *("last_used_at", "revoked_at"),
]
MEMBERS = ["id", "key", *LISTED[1:8]]


def client_of(tenants: Tenants, api_key: dict[str, Any]) -> Client:
    return tenants.connect(api_key["key"], admitted=False)


def listed(client: Client, **query: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data_of(client.get(f"{KEYS}?{urlencode(query)}"), 200)["api_keys"]
    return found


def only_id(client: Client) -> str:
    """Return the id of the one API key of a workspace."""
    (row,) = listed(client)
    return str(row["id"])


def is_refused_as_the_last_admin(answer: httpx.Response) -> None:
    assert "admin:api_keys" in error_of(answer, 403, "insufficient_permissions")["message"]


# Making


def test_an_api_key_is_shown_once_with_its_members_in_their_order(manager: Client) -> None:
    before = time.time()
    answer = mint(manager, name="CI", permissions=["write:documents", "read:documents", "write:documents"])
    data = data_of(answer, 201)
    assert list(data) == MEMBERS
    assert re.fullmatch(f"key_{ULID}", data["id"])
    assert re.fullmatch("wbk_[0-9A-Za-z]{38}", data["key"])
    assert has_checksum(data["key"])
    assert data["prefix"] == data["key"][:8]
    assert data["permissions"] == ["read:documents", "write:documents"]
    assert (data["name"], data["rate_limit_tier"]) == ("CI", "standard")
    assert (data["description"], data["expires_at"]) == (None, None)
    assert int(before) <= timestamp(data["created_at"]).timestamp() <= time.time()
    assert "Location" not in answer.headers


def test_an_api_key_works_at_once_and_for_its_workspace(tenants: Tenants, manager: Client) -> None:
    for _ in range(20):
        child = client_of(tenants, minted(manager, permissions=["write:documents"], rate_limit_tier="unmetered"))
        assert child.sign_upload().storage_path.startswith(f"workspaces/{manager.workspace}/")
    assert manager.get(document_path(child.recorded()["id"])).status_code == 200


@pytest.mark.parametrize(
    ("member", "given", "shown"),
    [
        *(("name", name, name) for name in ("a", "é" * 120, "\U0001f511" * 120)),
        *(("description", text, text) for text in ("", None, "a\nb\tc", "\U0001f511" * 4096)),
        ("description", "e\u0301", "é"),
        ("permissions", list(PERMISSIONS) * 3, sorted(PERMISSIONS)),
        *(("rate_limit_tier", "high", "high"), ("rate_limit_tier", None, "standard")),
        *(("expires_at", time, time) for time in (None, "2999-12-31T23:59:59Z")),
        ("expires_at", "2999-01-01T00:30:00+02:00", "2998-12-31T22:30:00Z"),
        ("expires_at", "2999-01-01t00:00:00.999999999z", "2999-01-01T00:00:00Z"),
        ("expires_at", "2996-02-29T23:59:59+23:59", "2996-02-29T00:00:59Z"),
    ],
)
def test_a_member_is_kept_as_the_contract_says(manager: Client, member: str, given: Any, shown: object) -> None:
    assert minted(manager, **{member: given})[member] == shown


# tests/domain/test_every_operation.py has the invalid members of every operation.
WRONG: dict[str, list[Any]] = {
    "name": [OMIT, None, "", "\u2003", "a" * 121, 1, "a\nb"],
    "permissions": [OMIT, None, [], "read:documents", [1], [[]], ["read:everything"], ["read:documents "]],
    "description": ["a" * 4097, 1, "\x1b[31m"],
    "rate_limit_tier": ["", "gold", "Standard", ["high"]],
    "expires_at": [
        *("", "soon", 32503680000, "2999-01-01", "2999-01-01T00:00:00", "2999-02-29T00:00:00Z", on_the_wire(0)),
        *(
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-23:59",
            "2999-01-01T00:00:00+24:00",
            "2999-W01-1T00:00:00Z",
        ),
        *(
            "2999-W01-1T00:00:00Z",
            "2999-01-01T00:00:00Z\n",
            "2999-01-01T00:00:00,5Z",
            "\u0662999-01-01T00:00:00Z",
            "29990101T000000Z",
        ),
    ],
    **{name: ["x", None] for name in ("unknown", "id", "key", "created_by")},
}


@pytest.mark.parametrize("member", WRONG)
def test_a_wrong_member_is_named(manager: Client, member: str) -> None:
    for value in WRONG[member]:
        assert wrong_fields(mint(manager, **{member: value})) == {member}, value


def test_every_wrong_member_is_named_at_once(manager: Client) -> None:
    body = wanted(name="", permissions=[], description=1, rate_limit_tier="x", expires_at="x")
    assert wrong_fields(manager.post(KEYS, body)) == body.keys()


@pytest.mark.parametrize("lacking", PERMISSIONS[1:])
def test_no_caller_grants_a_permission_it_lacks(tenants: Tenants, manager: Client, lacking: str) -> None:
    others = [name for name in PERMISSIONS if name != lacking]
    giver = client_of(tenants, minted(manager, permissions=others, rate_limit_tier="unmetered"))
    for asked in ([lacking], list(PERMISSIONS)):
        message = error_of(mint(giver, permissions=asked), 403, "insufficient_permissions")["message"]
        assert [name for name in PERMISSIONS if name in message] == [lacking]
    data_of(mint(giver, permissions=others), 201)


def test_a_name_is_taken_while_its_api_key_is_active_and_no_longer(manager: Client, stranger: Client) -> None:
    name = f"k-{uuid4()}-é"
    first = minted(manager, name=name, expires_at=on_the_wire(3600))
    for spelling in (name, name.replace("é", "e\u0301")):
        error_of(mint(manager, name=spelling), 409, "duplicate_name")
    minted(stranger, name=name)
    assert revoke(manager, first["id"]).status_code == 204
    assert minted(manager, name=name)["key"] != first["key"]
    error_of(mint(manager, name=name), 409, "duplicate_name")


@pytest.mark.server
def test_the_command_line_and_the_api_share_names_and_lists(tenants: Tenants, manager: Client) -> None:
    words = ["keys", "create", "--workspace", manager.workspace, "--permission", "read:documents", "--name"]
    ours, theirs = f"k-{uuid4()}", f"k-{uuid4()}"
    minted(manager, name=ours)
    refused = tenants.cli.run(*words, ours, "--json")
    assert refused.returncode == 1
    assert "name" in refused.stderr
    assert "wbk_" not in refused.stdout + refused.stderr
    made = tenants.cli.ask(*words, theirs)
    row = listed(manager)[0]
    assert (row["id"], row["prefix"], row["rate_limit_tier"]) == (made["id"], made["key"][:8], "standard")
    error_of(mint(manager, name=theirs), 409, "duplicate_name")
    assert revoke(manager, made["id"]).status_code == 204
    minted(manager, name=theirs)


# Expiry and revocation


def test_an_api_key_ends_at_its_second_frees_its_name_and_is_no_admin_any_more(tenants: Tenants) -> None:
    admin = tenants.client("", *PERMISSIONS)
    own, name, expiry = only_id(admin), f"k-{uuid4()}", on_the_wire(3)
    api_key = minted(admin, name=name, permissions=["admin:api_keys", "read:documents"], expires_at=expiry)
    client, end = client_of(tenants, api_key), timestamp(expiry).timestamp()
    error_of(mint(admin, name=name), 409, "duplicate_name")
    while time.time() < end:
        status = client.get(UNKNOWN_DOCUMENT).status_code
        assert status == 404 or time.time() >= end
        time.sleep(0.02)
    assert client.get(UNKNOWN_DOCUMENT).status_code == 401
    is_refused_as_the_last_admin(revoke(admin, own))
    assert [row["id"] for row in listed(admin)] == [api_key["id"], own]
    minted(admin, name=name)
    # An expired API key is revoked as any other.
    assert [revoke(admin, api_key["id"]).status_code for _ in range(2)] == [204, 204]
    assert api_key["id"] not in [row["id"] for row in listed(admin)]


@pytest.mark.parametrize("way", ["by the API", "by the operator"])
def test_a_revoked_api_key_is_401_within_a_second_and_stays_so(tenants: Tenants, manager: Client, way: str) -> None:
    api_key = minted(manager, rate_limit_tier="unmetered")
    client = client_of(tenants, api_key)
    assert client.get(UNKNOWN_DOCUMENT).status_code == 404
    if way == "by the API":
        assert revoke(manager, api_key["id"]).status_code == 204
    else:
        tenants.operator.revoke_api_key(api_key["id"])
    eventually(lambda: client.get(UNKNOWN_DOCUMENT).status_code == 401, 1.0, "401 for the revoked API key")
    assert client.get(UNKNOWN_DOCUMENT).status_code == 401
    assert manager.get(UNKNOWN_DOCUMENT).status_code == 404


def test_a_revocation_has_no_body_and_may_be_repeated(manager: Client) -> None:
    api_key = minted(manager)
    for answer in [revoke(manager, api_key["id"]) for _ in range(3)]:
        assert (answer.status_code, answer.content) == (204, b"")
        assert {"content-type", "content-length"}.isdisjoint(answer.headers)


def test_the_last_admin_stays_and_every_other_api_key_may_go(tenants: Tenants) -> None:
    admin = tenants.client("", *PERMISSIONS)
    own, other = only_id(admin), minted(admin)
    is_refused_as_the_last_admin(revoke(admin, own))
    assert revoke(admin, other["id"]).status_code == 204
    second = minted(admin, permissions=["admin:api_keys"], rate_limit_tier="unmetered")
    assert revoke(admin, second["id"]).status_code == 204
    is_refused_as_the_last_admin(revoke(admin, own))
    third = minted(admin, permissions=["admin:api_keys"], rate_limit_tier="unmetered")
    assert revoke(admin, own).status_code == 204
    former = tenants.connect(admin.key, admitted=False)
    eventually(lambda: former.get(UNKNOWN_DOCUMENT).status_code == 401, 1.0, "401")
    is_refused_as_the_last_admin(revoke(client_of(tenants, third), third["id"]))


# Lists


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    """In a workspace that has this one API key and those of `made`."""
    return tenants.client("", *PERMISSIONS)


@pytest.fixture(scope="module")
def made(owner: Client) -> list[dict[str, Any]]:
    """Seven more, oldest first; the last one is revoked."""
    api_keys = [minted(owner, name=name) for name in ("Alpha", "50% off", "a_b", "aXb", "back\\slash", "\u00c4pfel")]
    api_keys.append(minted(owner, name="alpha two", description="gone", rate_limit_tier="high"))
    assert revoke(owner, api_keys[-1]["id"]).status_code == 204
    return api_keys


def test_a_row_has_the_members_in_their_order_and_never_the_key(owner: Client, made: list[dict[str, Any]]) -> None:
    by_id = {row["id"]: row for row in listed(owner, include_revoked="true")}
    for api_key in made:
        row = by_id[api_key["id"]]
        assert list(row) == LISTED
        assert {name: row[name] for name in LISTED[:8]} == {name: api_key[name] for name in LISTED[:8]}
        assert row["last_used_at"] is None
    text = owner.get(f"{KEYS}?include_revoked=1").text
    assert not any(secret[4:] in text for secret in [owner.key or "", *(api_key["key"] for api_key in made)])


def test_the_newest_is_first_and_revoked_ones_are_left_out_until_asked_for(
    owner: Client, made: list[dict[str, Any]], stranger: Client
) -> None:
    minted(stranger)
    ids = [api_key["id"] for api_key in reversed(made)]
    for query, expected in (
        *(({}, ids[1:]), ({"include_revoked": "false"}, ids[1:]), ({"include_revoked": "0"}, ids[1:])),
        *(({"include_revoked": "true"}, ids), ({"include_revoked": "1"}, ids), ({"sort": "name"}, ids[1:])),
    ):
        body = owner.get(f"{KEYS}?{urlencode(query)}").json()
        found = body["data"]["api_keys"]
        assert [row["id"] for row in found][:-1] == expected, query
        assert body["meta"] == {"page": 1, "per_page": 25, "total": len(expected) + 1}
        assert [row["id"] for row in found if row["revoked_at"] is not None] == (ids[:1] if ids == expected else [])
    gone = listed(owner, include_revoked="true")[0]
    assert timestamp(gone["created_at"]) <= timestamp(gone["revoked_at"]) <= datetime.now(UTC)


def test_a_search_finds_a_part_of_the_name_in_any_letter_case(owner: Client, made: list[dict[str, Any]]) -> None:
    everything = {"LPH": {"Alpha", "alpha two"}, "50%": {"50% off"}, "_": {"a_b"}, "\\": {"back\\slash"}}
    for search, found in (everything | {"\u00e4PFEL": {"\u00c4pfel"}, "gone": set()}).items():
        for query, expected in (({"include_revoked": "true"}, found), ({}, found - {"alpha two"})):
            body = owner.get(f"{KEYS}?{urlencode(query | {'search': search, 'per_page': 1})}").json()
            assert body["meta"]["total"] == len(expected)
            assert {row["name"] for row in listed(owner, **query, search=search)} == expected


def test_a_malformed_parameter_is_named_and_every_one_at_once(owner: Client) -> None:
    malformed = {
        "page": ["0", "x", "", "%EF%BC%91", "1&page=2"],
        "per_page": ["0", "101", "25.0", "10&per_page=10"],
        "include_revoked": ["2", "yes", ""],
        "search": ["%00"],
    }
    for name, values in malformed.items():
        for value in values:
            assert wrong_fields(owner.get(f"{KEYS}?{name}={value}")) == {name}, value
    assert wrong_fields(owner.get(f"{KEYS}?page=0&per_page=x&include_revoked=2")) == {*malformed} - {"search"}


@pytest.mark.server
def test_the_last_use_is_shown_within_seconds_and_written_once_a_minute(tenants: Tenants, manager: Client) -> None:
    api_key = minted(manager, rate_limit_tier="unmetered")
    client, used = tenants.connect(api_key["key"]), int(time.time())
    shown: list[str] = []

    def is_shown() -> bool:
        row = next(row for row in listed(manager) if row["id"] == api_key["id"])
        shown.extend([row["last_used_at"]] if row["last_used_at"] else [])
        return bool(shown)

    assert not is_shown()
    client.get(UNKNOWN_DOCUMENT)
    eventually(is_shown, 10, "last_used_at")
    assert used <= timestamp(shown[0]).timestamp() <= time.time()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        client.get(UNKNOWN_DOCUMENT)
        is_shown()
    assert len(set(shown)) <= 2  # A minute may turn.


# At once


def test_of_twenty_with_one_name_at_once_one_is_made(manager: Client) -> None:
    name = f"k-{uuid4()}"
    answers = together([partial(mint, manager, name=name)] * 20)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert [row["name"] for row in listed(manager, search=name, include_revoked="true")] == [name]


def test_of_ten_last_admins_that_revoke_themselves_at_once_one_stays(tenants: Tenants) -> None:
    admin = tenants.client("", "admin:api_keys")
    ids = {admin: only_id(admin)}
    while len(ids) < 10:
        made = minted(admin, permissions=["admin:api_keys"], rate_limit_tier="unmetered")
        ids[client_of(tenants, made)] = made["id"]
    answers = together([partial(revoke, client, ids[client]) for client in ids])
    assert sorted(answer.status_code for answer in answers) == [204] * 9 + [403]
