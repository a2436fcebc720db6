"""API keys: in which order a request is judged, which JSON it may have, and which times and texts there are."""

import json
from uuid import uuid4

import httpx
import pytest

from .client import UNKNOWN_API_KEY_ID, Client, error_of, wrong_fields
from .keys import KEYS, mint, minted, revoke, wanted
from .tenants import Tenants

NO_UUID = {"Idempotency-Key": "no uuid"}
TYPE = {"Content-Type": "x/y"}


def test_permission_comes_before_the_idempotency_key_the_body_the_id_and_the_query(reader: Client) -> None:
    for body in (b"", b"\xff", b"{}", b" " * 70_000):
        error_of(reader.post(KEYS, body, NO_UUID), 403, "insufficient_permissions")
    for answer in (
        reader.post(KEYS, b"{}", TYPE),
        mint(reader, permissions=["read:everything"]),
        revoke(reader, "x", NO_UUID),
        revoke(reader, UNKNOWN_API_KEY_ID),
        reader.get(f"{KEYS}?page=0"),
    ):
        message = error_of(answer, 403, "insufficient_permissions")["message"]
        assert "admin:api_keys" in message


def test_the_idempotency_key_comes_before_the_body_and_the_id(manager: Client) -> None:
    answers: list[httpx.Response] = [manager.post(KEYS, body, NO_UUID) for body in (b"{}", b"\xff", b'{"name":""}')]
    answers += [revoke(manager, key_id, NO_UUID) for key_id in ("x", UNKNOWN_API_KEY_ID)]
    for answer in answers:
        (name,) = wrong_fields(answer)
        assert "idempotency" in name.lower()


def test_a_member_that_is_wrong_comes_before_the_permission_that_is_lacking_is_given(
    tenants: Tenants, manager: Client
) -> None:
    giver = tenants.connect(minted(manager, permissions=["admin:api_keys"], rate_limit_tier="unmetered")["key"])
    answer = mint(giver, name="", permissions=["read:documents"])
    assert wrong_fields(answer) == {"name"}


@pytest.mark.parametrize(
    "text",
    [
        *('{"name":"a","name":"b","permissions":["read:documents"]}', "[]", '"a"', "null", "", "{"),
        *('{"name":"a","permissions":["read:documents"]} x', '{"name":"a","permissions":["read:documents"],}'),
        *('\ufeff{"name":"a","permissions":["read:documents"]}', '{"name":NaN,"permissions":["read:documents"]}'),
        *(
            r'{"name":"a\u0000","permissions":["read:documents"]}',
            r'{"name":"\ud800","permissions":["read:documents"]}',
        ),
        *('{"name":"a","permissions":' + "[" * 40 + "]" * 40 + "}", "{'name':'a','permissions':['read:documents']}"),
    ],
)
def test_what_is_no_strict_json_is_400(manager: Client, text: str) -> None:
    error_of(manager.post(KEYS, text.encode()), 400, "validation_error")


def test_what_is_no_utf_8_is_400(manager: Client) -> None:
    for encoding in ("latin-1", "utf-16"):
        body = json.dumps(wanted(name="é"), ensure_ascii=False).encode(encoding)
        error_of(manager.post(KEYS, body), 400, "validation_error")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2999-01-01T00:00:00.999999999Z", "2999-01-01T00:00:00Z"),
        ("2999-01-01T00:00:00.5+01:00", "2998-12-31T23:00:00Z"),
        ("2999-01-01t00:00:00z", "2999-01-01T00:00:00Z"),
        ("2999-01-01T00:00:00-00:00", "2999-01-01T00:00:00Z"),
        ("2996-02-29T23:59:59+23:59", "2996-02-29T00:00:59Z"),
    ],
)
def test_a_time_of_rfc_3339_is_shown_in_utc_and_whole_seconds(manager: Client, given: str, shown: str) -> None:
    assert minted(manager, expires_at=given)["expires_at"] == shown


@pytest.mark.parametrize(
    "value",
    [
        *("2999-01-01T00:00:00+24:00", "2999-01-01T00:00:00+23:60", "2999-01-01T24:00:00Z", "2999-01-01T00:00:00+0200"),
        *("9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z", "99999-01-01T00:00:00Z", "2999-W01-1T00:00:00Z"),
        *(" 2999-01-01T00:00:00Z", "2999-01-01T00:00:00Z\n", "2999-01-01T00:00:00,5Z", "2999-01-01T00:00:00.Z"),
        *("\u0662999-01-01T00:00:00Z", "2999-01-01T00:00Z", "2999-1-1T00:00:00Z", "29990101T000000Z"),
    ],
)
def test_what_is_no_time_of_rfc_3339_or_none_that_can_be_shown_is_named(manager: Client, value: str) -> None:
    assert wrong_fields(mint(manager, expires_at=value)) == {"expires_at"}


def test_a_name_written_with_other_code_points_is_the_same_name(manager: Client) -> None:
    name = f"k-{uuid4()}-"
    made = minted(manager, name=f"{name}e\u0301", description="e\u0301")
    assert (made["name"], made["description"]) == (f"{name}\u00e9", "\u00e9")
    error_of(mint(manager, name=f"{name}\u00e9"), 409, "duplicate_name")


@pytest.mark.parametrize("query", ["page=1&page=2", "search=%00", "per_page=10&per_page=10", "page=%C2%B2"])
def test_a_parameter_that_has_no_one_value_is_named(manager: Client, query: str) -> None:
    assert wrong_fields(manager.get(f"{KEYS}?{query}")) == {query.partition("=")[0]}
