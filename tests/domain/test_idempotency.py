"""The Idempotency-Key and the fingerprint of a request."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.idempotency import LIFETIME, fingerprint, idempotency_key
from domain.members import Members, RuleViolation
from tests.domain.anything import JSON, TEXTS

KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
MEMBERS = st.dictionaries(TEXTS, JSON, max_size=6)
# Members, and the name of one of them or of a new one.
MEMBERS_AND_ONE = MEMBERS.flatmap(lambda members: st.tuples(st.just(members), st.sampled_from([*members, "tags"])))


@pytest.mark.parametrize(
    "sent",
    [KEY, f'"{KEY}"', KEY.upper(), f'"{KEY.upper()}"', KEY.title(), "0" * 8 + "-0000-0000-0000-" + "0" * 12],
    ids=["bare", "quoted", "upper case", "quoted upper case", "mixed case", "the nil UUID"],
)
def test_a_uuid_bare_or_in_double_quotes_is_read_in_lower_case(sent: str) -> None:
    assert idempotency_key(sent) == sent.strip('"').lower()


NO_KEYS = {
    "empty": "",
    "empty quotes": '""',
    "a word": "retry-1",
    "quoted at the start": f'"{KEY}',
    "quoted at the end": f'{KEY}"',
    "quoted twice": f'""{KEY}""',
    "single quotes": f"'{KEY}'",
    "typographic quotes": f"\u201c{KEY}\u201d",
    "braces": f"{{{KEY}}}",
    "a URN": f"urn:uuid:{KEY}",
    "no dashes": KEY.replace("-", ""),
    "a dash too many": KEY[:2] + "-" + KEY[2:],
    "dashes elsewhere": "7c9e66797-425-40de-944b-e07fc1f90ae7",
    "a blank before": f" {KEY}",
    "a blank after": f"{KEY} ",
    "blanks in the quotes": f'" {KEY} "',
    "a newline": f"{KEY}\n",
    "two of them": f"{KEY}, {KEY}",
    "a parameter": f'"{KEY}";a=b',
    "too short": KEY[:-1],
    "too long": KEY + "0",
    "no hex": KEY[:-1] + "g",
    "digits of another script": "\u0661" * 8 + KEY[8:],
    "full width": KEY[:-1] + "\uff17",
    "NUL": KEY + "\0",
}


@pytest.mark.parametrize("sent", NO_KEYS.values(), ids=NO_KEYS)
def test_any_other_text_is_not_an_idempotency_key(sent: str) -> None:
    with pytest.raises(RuleViolation, match="must be one UUID"):
        idempotency_key(sent)


@given(TEXTS | st.text('0123456789abcdefABCDEF-"{}', min_size=30, max_size=40))
def test_any_header_is_accepted_or_refused_and_an_idempotency_key_is_a_fixed_point(sent: str) -> None:
    try:
        key = idempotency_key(sent)
    except RuleViolation:
        return
    assert idempotency_key(key) == key
    assert str(UUID(key)) == key


def test_a_receipt_is_valid_for_24_hours() -> None:
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
    """The same JSON value with the members of every object in the other order."""
    if isinstance(value, dict):
        return {key: reversed_order(value[key]) for key in reversed(value)}
    return [reversed_order(item) for item in value] if isinstance(value, list) else value


@given(MEMBERS)
def test_the_order_of_members_does_not_matter(members: dict[str, object]) -> None:
    turned = {key: reversed_order(members[key]) for key in reversed(members)}
    assert fingerprint("a", "b", turned) == fingerprint("a", "b", members)


@given(MEMBERS)
def test_a_fingerprint_is_equal_after_another_json_round_trip(members: dict[str, object]) -> None:
    assert fingerprint("a", "b", json.loads(json.dumps(members))) == fingerprint("a", "b", members)


def is_same_json(one: object, other: object) -> bool:
    """Equality as JSON has it: `1`, `1.0` and `true` are three."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return one == other


@settings(max_examples=300)
@given(MEMBERS_AND_ONE, JSON)
def test_every_change_of_a_member_changes_the_fingerprint(sent: tuple[dict[str, object], str], value: object) -> None:
    members, member = sent
    changed = members | {member: value}
    if not is_same_json(members, changed):
        assert fingerprint("a", "b", changed) != fingerprint("a", "b", members)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(({"size_bytes": 1}, {"size_bytes": 1.0}), ({"size_bytes": 1}, {"size_bytes": True})),
        *(({"size_bytes": 1}, {"size_bytes": "1"}), ({"folder": None}, {}), ({"folder": None}, {"folder": "null"})),
        *(({"folder": "/a"}, {"folder": "/a/"}), ({"tags": []}, {}), ({"tags": ["a", "b"]}, {"tags": ["b", "a"]})),
        *(({"tags": ["a", "b"]}, {"tags": ["a,b"]}), ({"name": "\xe9"}, {"name": "e\u0301"})),
        *(({"name": "a"}, {"name": "A"}), ({"name": "a"}, {"name": "a "})),
    ],
    ids=repr,
)
def test_requests_with_different_members_have_different_fingerprints(one: Members, other: Members) -> None:
    assert fingerprint("a", "b", one) != fingerprint("a", "b", other)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_operation_and_target_are_distinguished(a: str, b: str, c: str, d: str) -> None:
    assert (fingerprint(a, b, {}) == fingerprint(c, d, {})) == ((a, b) == (c, d))
