"""API keys with checksums, permissions and labels."""

import string
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import (
    BASE62,
    Caller,
    Permission,
    api_key_digest,
    is_wellformed_api_key,
    label,
    mint_api_key,
    permissions,
)
from domain.errors import InsufficientPermissions
from domain.ids import ApiKeyId, UserId, WorkspaceId
from domain.members import RuleViolation

SECRETS = st.text(BASE62, min_size=32, max_size=32)

# Checksum and digest worked out without the code. What is pinned here is what customers and secret scanners hold.
PINNED = {
    "0" * 32: (
        "wbk_000000000000000000000000000000003pBg05",
        "8f208c513bfa47360f3fbec7e6c8314a5f4bb1e4e4588776b054cfc193b8da18",
    ),
    "z" * 32: (
        "wbk_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz2SukDX",
        "4370a11d0f2b0ef011f627726a1fe225bb490ae261ba890d534a9ac437d1aa43",
    ),
    "0123456789ABCDEFGHIJKLMNOPQRSTUV": (
        "wbk_0123456789ABCDEFGHIJKLMNOPQRSTUV0o8Hpu",
        "21922a6c59cc1b7686edf6b59e7917e0883ca2f2e6998a39fadafb6f64b30329",
    ),
}


@pytest.mark.parametrize("secret", PINNED)
def test_an_api_key_and_its_digest_are_pinned(secret: str) -> None:
    key, digest = PINNED[secret]
    assert mint_api_key(secret) == key
    assert api_key_digest(key).hex() == digest


def test_the_alphabet_is_base62_digits_first() -> None:
    assert list(BASE62) == [*string.digits, *string.ascii_uppercase, *string.ascii_lowercase]


@given(SECRETS)
def test_a_minted_api_key_is_well_formed(secret: str) -> None:
    key = mint_api_key(secret)
    assert is_wellformed_api_key(key)
    assert key.startswith("wbk_" + secret)
    assert len(key) == 42


@settings(max_examples=25)
@given(SECRETS, st.characters())
def test_every_change_of_one_character_is_detected(secret: str, other: str) -> None:
    key = mint_api_key(secret)
    for at, char in enumerate(key):
        for typo in {*BASE62, "_", "-", " ", other} - {char}:
            assert not is_wellformed_api_key(key[:at] + typo + key[at + 1 :])


@given(SECRETS)
def test_every_swap_of_two_neighbouring_characters_is_detected(secret: str) -> None:
    key = mint_api_key(secret)
    for at, (left, right) in enumerate(pairwise(key)):
        if left != right:
            assert not is_wellformed_api_key(key[:at] + right + left + key[at + 2 :])


@given(SECRETS, st.characters())
def test_a_missing_or_extra_character_is_detected(secret: str, other: str) -> None:
    key = mint_api_key(secret)
    for at in range(len(key)):
        assert not is_wellformed_api_key(key[:at] + key[at + 1 :])
        assert not is_wellformed_api_key(key[:at] + other + key[at:])
    assert not is_wellformed_api_key(key + other)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 1000])
def test_a_secret_of_another_length_makes_no_valid_api_key(length: int) -> None:
    assert not is_wellformed_api_key(mint_api_key("0" * length))


@pytest.mark.parametrize(
    "text",
    [
        *("", "wbk_", "wbk_your_api_key_here", "wbk_" + "0" * 38, "WBK_" + "0" * 32 + "3pBg05"),
        *("sk_" + "0" * 32 + "3pBg05", "Bearer wbk_" + "0" * 32 + "3pBg05", "wbk_" + "0" * 32 + "3PBG05"),
        *("wbk_" + "0" * 32 + "3pBg05\n", "wbk_" + "\u0660" * 32 + "3pBg05", "wbk_" + "0" * 100_000),
    ],
    ids=lambda text: ascii(text[:60]),
)
def test_a_text_that_was_not_minted_is_not_well_formed(text: str) -> None:
    assert not is_wellformed_api_key(text)


def test_the_permissions_are_these_four_and_none_implies_another() -> None:
    assert set(Permission) == {"read:documents", "write:documents", "admin:documents", "admin:api_keys"}
    for held in Permission:
        caller = Caller(
            workspace_id=WorkspaceId("ws_1"),
            user_id=UserId("usr_1"),
            key_id=ApiKeyId("key_1"),
            permissions=frozenset({held}),
            request_id="req_1",
        )
        caller.require(held)
        for other in set(Permission) - {held}:
            with pytest.raises(InsufficientPermissions, match=other) as refused:
                caller.require(other)
            assert refused.value.permission == other


@given(st.lists(st.sampled_from([permission.value for permission in Permission]), min_size=1))
def test_known_permissions_are_read_in_any_order(granted: list[str]) -> None:
    assert permissions(granted) == set(granted)
    assert permissions(tuple(granted)) == set(granted)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        "read:documents",
        {"read:documents": True},
        [None],
        [1],
        [["read:documents"]],
        [""],
        ["READ:DOCUMENTS"],
        ["read:documents "],
        ["read:*"],
        ["*"],
        ["admin"],
        ["read:documents", "read:everything"],
        ["READ_DOCUMENTS"],
    ],
    ids=repr,
)
def test_a_set_of_permissions_without_known_ones_is_refused(value: object) -> None:
    with pytest.raises(RuleViolation):
        permissions(value)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("CI", "CI"), ("a" * 120, "a" * 120), ("e\u0301" * 120, "\xe9" * 120)],
    ids=["short", "120 characters", "120 characters in NFC"],
)
def test_a_label_has_1_to_120_characters_in_nfc(sent: str, kept: str) -> None:
    assert label(sent) == kept


@pytest.mark.parametrize("sent", ["", " ", "\u3000", "a" * 121, "a\nb", "a\0", "\ud800", None, 1, ["a"]], ids=ascii)
def test_a_label_is_not_blank_not_long_and_without_control_characters(sent: object) -> None:
    with pytest.raises(RuleViolation):
        label(sent)
