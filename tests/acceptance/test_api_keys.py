"""POST and DELETE /v1/api-keys: what is made, what is refused, and when it begins and ceases to work."""

import re
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from .client import (
    OMIT,
    ULID,
    UNKNOWN_API_KEY_ID,
    UNKNOWN_DOCUMENT_ID,
    Client,
    data_of,
    error_of,
    timestamp,
    without_request_id,
)
from .client import wrong_fields as wrong
from .keys import KEYS, PERMISSIONS, has_checksum, mint, minted, on_the_wire, revoke, wanted
from .service import eventually
from .tenants import Tenants

ONE = f"/v1/documents/{UNKNOWN_DOCUMENT_ID}"
MEMBERS = ["id", "key", "prefix", "name", "description", "permissions", "rate_limit_tier", "expires_at", "created_at"]


@pytest.fixture(scope="module")
def foreigner(tenants: Tenants) -> Client:
    return tenants.client("", *PERMISSIONS)


def opened_by(tenants: Tenants, key: dict[str, Any]) -> Client:
    return tenants.connect(key["key"], admitted=False)


def only_key(client: Client) -> str:
    """The id of the one key of a workspace."""
    (row,) = data_of(client.get(KEYS), 200)["api_keys"]
    key_id: str = row["id"]
    return key_id


def last_admin(answer: httpx.Response) -> None:
    message = error_of(answer, 403, "insufficient_permissions")["message"]
    assert "admin:api_keys" in message


def test_a_key_is_shown_once_with_its_facts_in_their_order(manager: Client) -> None:
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
    assert "Idempotent-Replayed" not in answer.headers


def test_a_key_works_at_once(tenants: Tenants, manager: Client) -> None:
    for _ in range(20):
        assert opened_by(tenants, minted(manager, rate_limit_tier="unmetered")).get(ONE).status_code == 404


def test_what_a_key_makes_is_its_workspaces(tenants: Tenants, manager: Client) -> None:
    child = opened_by(tenants, minted(manager, permissions=["write:documents"], rate_limit_tier="unmetered"))
    made = child.recorded()
    assert made["storage_path"].startswith(f"workspaces/{manager.workspace}/")
    assert data_of(manager.get(f"/v1/documents/{made['id']}"), 200)["id"] == made["id"]


@pytest.mark.parametrize(("tier", "limit"), [("standard", 200), ("high", 2000), ("unmetered", 200), (OMIT, 200)])
def test_a_key_has_the_limits_of_its_tier(tenants: Tenants, manager: Client, tier: Any, limit: int) -> None:
    answer = opened_by(tenants, minted(manager, rate_limit_tier=tier)).get(ONE)
    assert int(answer.headers["X-RateLimit-Limit"]) == limit
    assert (int(answer.headers["X-RateLimit-Remaining"]) == limit) is (tier == "unmetered")


@pytest.mark.parametrize(
    ("member", "given", "shown"),
    [
        ("name", "a", "a"),
        ("name", "é" * 120, "é" * 120),
        ("name", "\U0001f511" * 120, "\U0001f511" * 120),
        ("description", "", ""),
        ("description", None, None),
        ("description", "a\nb\tc", "a\nb\tc"),
        ("description", "\U0001f511" * 4096, "\U0001f511" * 4096),
        ("permissions", list(PERMISSIONS) * 3, sorted(PERMISSIONS)),
        ("rate_limit_tier", "high", "high"),
        ("rate_limit_tier", None, "standard"),
        ("expires_at", None, None),
        ("expires_at", "2999-12-31T23:59:59Z", "2999-12-31T23:59:59Z"),
        ("expires_at", "2999-01-01T00:30:00+02:00", "2998-12-31T22:30:00Z"),
        ("expires_at", "2999-01-01T00:30:00-00:30", "2999-01-01T01:00:00Z"),
    ],
)
def test_a_member_is_kept_as_the_contract_says(manager: Client, member: str, given: Any, shown: object) -> None:
    assert minted(manager, **{member: given})[member] == shown


WRONG: dict[str, list[Any]] = {
    "name": [OMIT, None, "", " ", "\u2003", "a" * 121, 1, ["a"], "a\nb", "\x1b"],
    "permissions": [
        *(OMIT, None, [], {}, "read:documents", 1, True, [1], [None], [""], ["read"], [" "], [[]]),
        *(["read:everything"], ["READ:documents"], ["read:documents", "read:documents "]),
    ],
    "description": ["a" * 4097, 1, [], "\x1b[31m"],
    "rate_limit_tier": ["", "gold", "Standard", "high ", 1, ["high"], True],
    "expires_at": [
        *("", "soon", "now", "Z", 32503680000, [], "2999-01-01", "2999-01-01T00:00:00", "2999-13-01T00:00:00Z"),
        *("2999-02-29T00:00:00Z", "2999-01-01T25:00:00Z", "2020-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
    ],
    **{name: ["x", None] for name in ("unknown", "id", "key", "prefix", "user", "created_by")},
}


@pytest.mark.parametrize(
    ("member", "value"), [(member, value) for member, values in WRONG.items() for value in values], ids=repr
)
def test_a_wrong_member_is_named(manager: Client, member: str, value: Any) -> None:
    assert wrong(mint(manager, **{member: value})) == {member}


def test_every_wrong_member_is_named_at_once(manager: Client) -> None:
    body = wanted(name="", permissions=[], description=1, rate_limit_tier="x", expires_at="x")
    assert wrong(manager.post(KEYS, body)) == {"name", "permissions", "description", "rate_limit_tier", "expires_at"}


def test_an_expiry_of_this_moment_is_not_in_the_future(manager: Client) -> None:
    assert wrong(mint(manager, expires_at=on_the_wire(0))) == {"expires_at"}


@pytest.mark.parametrize("lacking", PERMISSIONS[1:])
def test_nobody_gives_what_they_do_not_have(tenants: Tenants, manager: Client, lacking: str) -> None:
    others = [name for name in PERMISSIONS if name != lacking]
    giver = opened_by(tenants, minted(manager, permissions=others, rate_limit_tier="unmetered"))
    key, name = {"Idempotency-Key": str(uuid4())}, f"k-{uuid4()}"
    for asked in ([lacking], list(PERMISSIONS)):
        error = error_of(mint(giver, key, name=name, permissions=asked), 403, "insufficient_permissions")
        assert lacking in error["message"]
        assert not any(other in error["message"] for other in others)
    data_of(mint(giver, key, name=name, permissions=others), 201)


def test_a_name_is_taken_while_its_key_is_active_and_no_longer(manager: Client, foreigner: Client) -> None:
    name = f"k-{uuid4()}"
    first = minted(manager, name=name, expires_at=on_the_wire(3600))
    error_of(mint(manager, name=name), 409, "duplicate_name")
    minted(foreigner, name=name)
    assert revoke(manager, first["id"]).status_code == 204
    second = minted(manager, name=name)
    assert (second["id"] != first["id"], second["key"] != first["key"]) == (True, True)
    error_of(mint(manager, name=name), 409, "duplicate_name")


def test_the_command_line_and_the_api_know_each_others_names(tenants: Tenants, manager: Client) -> None:
    words = ["keys", "create", "--workspace", manager.workspace, "--permission", "read:documents", "--name"]
    ours, theirs = f"k-{uuid4()}", f"k-{uuid4()}"
    minted(manager, name=ours)
    refused = tenants.cli.run(*words, ours, "--json")
    assert refused.returncode == 1
    assert "name" in refused.stderr
    assert "wbk_" not in refused.stdout + refused.stderr
    made = tenants.cli.ask(*words, theirs)
    error_of(mint(manager, name=theirs), 409, "duplicate_name")
    assert revoke(manager, made["id"]).status_code == 204
    minted(manager, name=theirs)


def test_a_key_ends_at_its_second_frees_its_name_and_is_no_admin_any_more(tenants: Tenants) -> None:
    admin = tenants.client("", *PERMISSIONS)
    own, name, expiry = only_key(admin), f"k-{uuid4()}", on_the_wire(3)
    key = minted(admin, name=name, permissions=["admin:api_keys", "read:documents"], expires_at=expiry)
    client, end = opened_by(tenants, key), timestamp(expiry).timestamp()
    error_of(mint(admin, name=name), 409, "duplicate_name")
    while time.time() < end:
        status = client.get(ONE).status_code
        assert status == 404 or time.time() >= end
        time.sleep(0.02)
    assert client.get(ONE).status_code == 401
    last_admin(revoke(admin, own))
    assert [row["id"] for row in data_of(admin.get(KEYS), 200)["api_keys"]] == [key["id"], own]
    minted(admin, name=name)


@pytest.mark.parametrize("way", ["API", "CLI"])
def test_a_revoked_key_is_401_within_a_second_and_for_ever(tenants: Tenants, manager: Client, way: str) -> None:
    key = minted(manager, rate_limit_tier="unmetered")
    client = opened_by(tenants, key)
    assert client.get(ONE).status_code == 404
    if way == "API":
        assert revoke(manager, key["id"]).status_code == 204
    else:
        tenants.cli.ask("keys", "revoke", key["id"])
    eventually(lambda: client.get(ONE).status_code == 401, 1.0, "401 for the revoked key")
    assert client.get(ONE).status_code == 401
    assert manager.get(ONE).status_code == 404


def test_a_revocation_has_no_body_and_a_second_one_is_as_good(manager: Client) -> None:
    key = minted(manager)
    for _ in range(3):
        answer = revoke(manager, key["id"])
        assert (answer.status_code, answer.content) == (204, b"")
        assert "Idempotent-Replayed" not in answer.headers


def test_an_unknown_malformed_or_foreign_key_is_the_same_404(
    tenants: Tenants, manager: Client, foreigner: Client
) -> None:
    theirs = minted(foreigner)
    absent = without_request_id(revoke(manager, UNKNOWN_API_KEY_ID))
    for key_id in (
        theirs["id"],
        "x",
        "key_",
        UNKNOWN_API_KEY_ID.lower(),
        UNKNOWN_DOCUMENT_ID,
        "%00",
        "%ff",
        theirs["prefix"],
        "x" * 3000,
    ):
        answer = revoke(manager, key_id)
        error_of(answer, 404, "not_found")
        assert without_request_id(answer) == absent, key_id
    assert opened_by(tenants, theirs).get(ONE).status_code == 404


def test_the_last_admin_stays_and_what_is_no_admin_does_not(tenants: Tenants) -> None:
    admin = tenants.client("", *PERMISSIONS)
    own = only_key(admin)
    other = minted(admin)
    last_admin(revoke(admin, own))
    assert revoke(admin, other["id"]).status_code == 204
    second = minted(admin, permissions=["admin:api_keys"], rate_limit_tier="unmetered")
    assert revoke(admin, second["id"]).status_code == 204
    last_admin(revoke(admin, own))
    assert admin.get(ONE).status_code == 404
    third = minted(admin, permissions=["admin:api_keys"], rate_limit_tier="unmetered")
    assert revoke(admin, own).status_code == 204
    eventually(lambda: tenants.connect(admin.key, admitted=False).get(ONE).status_code == 401, 1.0, "401")
    last_admin(revoke(opened_by(tenants, third), third["id"]))
