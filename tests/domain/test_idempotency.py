"""The Idempotency-Key and the fingerprint of a request."""

import json
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.idempotency import LIFETIME, fingerprint, parse_idempotency_key
from domain.members import Members
from tests.domain.anything import JSON, TEXTS

UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
MEMBERS = st.dictionaries(TEXTS, JSON, max_size=6)
# Members, and the name of one of them or of a new one.
MEMBERS_AND_ONE = MEMBERS.flatmap(lambda members: st.tuples(st.just(members), st.sampled_from([*members, "tags"])))


@given(st.uuids().map(str))
def test_every_uuid_is_an_idempotency_key_in_upper_case_and_in_quotes_too(key: str) -> None:
    assert {parse_idempotency_key(sent) for sent in (key, key.upper(), f'"{key}"')} == {key}


NO_UUIDS = [
    *("", '""', "retry-1", f'"{UUID}', f'{UUID}"', f"'{UUID}'", f"{{{UUID}}}", f"urn:uuid:{UUID}", f" {UUID}"),
    *(UUID.replace("-", ""), UUID[:2] + "-" + UUID[2:], f'" {UUID} "', f"{UUID}\n", f"{UUID}, {UUID}", UUID[:-1]),
    *(UUID + "0", UUID[:-1] + "g", "\u0661" * 8 + UUID[8:], UUID[:-1] + "\uff17"),
]


@pytest.mark.parametrize("sent", NO_UUIDS, ids=ascii)
def test_an_idempotency_key_header_that_is_not_one_uuid_is_refused(sent: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_idempotency_key(sent)
    assert refused.value.fields == {"Idempotency-Key": f"must be one UUID, such as {UUID}"}


def test_without_the_header_there_is_no_idempotency_key_and_a_receipt_is_valid_for_24_hours() -> None:
    assert parse_idempotency_key(None) is None
    assert timedelta(hours=24) == LIFETIME


PAGE_EXAMPLE = {
    "name": "Acme-NDA-2026.pdf",
    "mime_type": "application/pdf",
    "storage_path": "workspaces/ws_123/documents/new-upload.pdf",
    "size_bytes": 183204,
    "folder": "/clients/acme/ndas",
    "tags": ["nda", "confidentiality"],
}
EVERY_TYPE = {
    "tags": [{"b": [1, 2.0, 1e16], "a": True}],
    "size_bytes": -0.5,
    "name": '\xc4\N{GRINNING FACE} "\\\n',
    "description": None,
}


# SHA-256 of the canonical text, worked out without the code: a change here turns the retries of live clients into 422.
@pytest.mark.parametrize(
    ("target", "members", "digest"),
    [
        ("ws_1", {}, "6cee06dc586b5ab12b78a52322543c8a9a22428bea59b39206f0bebd1f9d950e"),
        (
            "ws_01HY0000000000000000000000",
            PAGE_EXAMPLE,
            "a99285aafa2fe698a6c605ea4e10a067de8bb523f101f30751b0bdfcf3cbf342",
        ),
        ("ws_1", EVERY_TYPE, "728995672f49f7a8afcb7e14cf860979b41c1f0a9f8d5bfe329e09f0fbaf386d"),
    ],
    ids=["empty", "the page's example", "every type"],
)
def test_a_fingerprint_is_pinned(target: str, members: Members, digest: str) -> None:
    assert fingerprint("create_document", target, members).hex() == digest


def reversed_order(value: object) -> object:
    """Return the same JSON value with the members of every object in the other order."""
    if isinstance(value, dict):
        return {key: reversed_order(value[key]) for key in reversed(value)}
    return [reversed_order(item) for item in value] if isinstance(value, list) else value


@given(MEMBERS)
def test_a_fingerprint_does_not_depend_on_the_order_of_members(members: dict[str, object]) -> None:
    turned = {key: reversed_order(members[key]) for key in reversed(members)}
    for equal in (turned, json.loads(json.dumps(members))):
        assert fingerprint("a", "b", equal) == fingerprint("a", "b", members)


def is_same_json(one: object, other: object) -> bool:
    """Return whether two values are the same JSON: `1`, `1.0` and `true` are three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return one == other


@settings(max_examples=100)
@given(MEMBERS_AND_ONE, JSON)
# Python or the rules call these values equal.
@example(({"size_bytes": 1}, "size_bytes"), 1.0)
@example(({"size_bytes": 1}, "size_bytes"), True)
@example(({}, "folder"), None)
@example(({"tags": ["a", "b"]}, "tags"), ["b", "a"])
@example(({"name": "\xe9"}, "name"), "e\u0301")
def test_every_change_of_a_member_changes_the_fingerprint(sent: tuple[dict[str, object], str], value: object) -> None:
    members, member = sent
    changed = members | {member: value}
    if not is_same_json(members, changed):
        assert fingerprint("a", "b", changed) != fingerprint("a", "b", members)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_operation_and_target_are_distinguished(a: str, b: str, c: str, d: str) -> None:
    assert (fingerprint(a, b, {}) == fingerprint(c, d, {})) == ((a, b) == (c, d))
