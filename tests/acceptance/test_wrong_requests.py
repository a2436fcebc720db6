"""Every operation reports its wrong parameters and members by name, and wrong headers before both."""

from dataclasses import replace

import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, wrong_fields
from .keys import mint, minted
from .operations import MINT, OPERATIONS, WITH_A_BODY, Operation
from .tenants import Tenants

WRONG_PARAMETERS = {
    "page": ["0", "-1", "x", "1.5", "", "%EF%BC%91", "1000000001", "1&page=1"],
    "per_page": ["0", "101", "x", "", "1&per_page=1"],
    "folder": ["", "a", "/a//b", "/..", "/a%00", "/a" * 21, "/a&folder=/a"],
    "parent": ["", "a", "/a//b", "/..", "/a%00", "/a&parent=/b"],
    "recursive": ["", "2", "TRUE", "null", "true,false", "false"],  # false needs a folder
    "tag": ["", "%20", "x" * 65, "a%0Ab", "&tag=".join(f"t{number}" for number in range(51))],
    "mime_type": ["", "pdf", "*/*", "a/b&mime_type=a/b"],
    "search": ["%00", "a&search=a"],  # the other wrong searches: tests/domain/test_lists.py
    "created_after": [
        *("", "yesterday", "2026-02-30", "20260101", "1776422700", "2026-04-17T10:45:00", "2026-04-17T24:00:00Z"),
        *("2026-04-17T10:45:00+02:00", "9999-12-31T23:59:59-23:59", "2026-04-17&created_after=2026-04-17"),
    ],
    "cursor": ["", "x", UNKNOWN_DOCUMENT_ID, "8" + "0" * 25, "%00", f"{'0' * 26}&cursor={'0' * 26}"],
    "role": ["", "x" * 65, "a%0Ab", "a&role=a"],
    "download": ["", "2", "TRUE", "null", "true&download=true"],
    "hard": ["", "2", "yes", "TRUE", "null", "true,", "%ff", "true&hard=true"],
    "include_revoked": ["", "2", "TRUE", "true&include_revoked=true"],
}


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.parameters], ids=str)
def test_every_wrong_parameter_is_named_alone_and_with_the_others(manager: Client, operation: Operation) -> None:
    for name in operation.parameters:
        for value in WRONG_PARAMETERS[name]:
            answer = manager.request(operation.method, f"{operation.unknown_path}?{name}={value}")
            assert wrong_fields(answer) == {name}, value
    names = set(operation.parameters) - {"search"}
    query = "&".join(f"{name}={WRONG_PARAMETERS[name][0]}" for name in names)
    assert wrong_fields(manager.request(operation.method, f"{operation.unknown_path}?{query}")) == names


@pytest.mark.parametrize("operation", WITH_A_BODY, ids=str)
def test_every_wrong_and_every_unknown_member_is_named_alone_and_with_the_others(
    manager: Client, operation: Operation
) -> None:
    call = operation.call(manager)
    for name in (*operation.members, "unknown", "id", operation.members[0].title(), ""):
        changed = replace(call, body=(call.body or {}) | {name: {"a": "b"}})
        assert wrong_fields(changed.send(manager)) == {name}
    wrong = dict.fromkeys((*operation.members, "unknown"), True)
    assert wrong_fields(replace(call, body=wrong).send(manager)) == set(wrong)
    assert call.send(manager).status_code == operation.success


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.headers], ids=str)
def test_the_idempotency_key_is_checked_before_if_match_and_both_before_the_rest_of_the_request(
    manager: Client, operation: Operation
) -> None:
    """Each request is wrong in all later ways too. An unknown id is reported last."""
    path = f"{operation.unknown_path}?page=0&download=2&hard=2"
    wrong = {"Idempotency-Key": "no uuid", "If-Match": "1"}
    for name in [name for name in wrong if name in operation.headers]:
        for body in (b"{}", b"\xff", b" " * 70_000) if operation.members else (None,):
            answer = manager.request(operation.method, path, content=body, headers=wrong)
            assert wrong_fields(answer) == {name}
        del wrong[name]


def test_the_members_are_checked_before_the_permissions_that_are_asked_for(tenants: Tenants, manager: Client) -> None:
    giver = tenants.connect(minted(manager, permissions=[MINT.permission], rate_limit_tier="unmetered")["key"])
    assert wrong_fields(mint(giver, name="", permissions=["read:documents"])) == {"name"}
