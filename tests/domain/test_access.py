"""API keys with checksums, permissions, and the network that wrong API keys are counted by."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import BASE62, Permission, api_key_digest, client_network, is_wellformed_api_key, mint_api_key
from domain.errors import InsufficientPermissions
from tests.domain.samples import CALLER

SECRETS = st.text(BASE62, min_size=32, max_size=32)

# Checksum and digest worked out without the code. These values must not change, because
# customers hold API keys and scanners know their form.
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


@settings(max_examples=25)
@given(SECRETS, st.characters())
def test_a_minted_api_key_is_well_formed_and_every_typing_mistake_is_detected(secret: str, other: str) -> None:
    key = mint_api_key(secret)
    assert is_wellformed_api_key(key)
    for at, char in enumerate(key):
        for typo in {*BASE62, "_", "-", " ", other} - {char}:
            assert not is_wellformed_api_key(key[:at] + typo + key[at + 1 :])
        assert not is_wellformed_api_key(key[:at] + key[at + 1 :])
        assert not is_wellformed_api_key(key[:at] + other + key[at:])
    for at, (left, right) in enumerate(pairwise(key)):
        if left != right:
            assert not is_wellformed_api_key(key[:at] + right + left + key[at + 2 :])
    assert not is_wellformed_api_key(key + other)


@pytest.mark.parametrize(
    "text",
    [
        *("", "wbk_", "wbk_" + "0" * 38, "WBK_" + "0" * 32 + "3pBg05", "Bearer wbk_" + "0" * 32 + "3pBg05"),
        *("wbk_" + "0" * 32 + "3pBg05\n", "wbk_" + "\u0660" * 32 + "3pBg05", "wbk_" + "0" * 100_000),
        *(mint_api_key("0" * length) for length in (31, 33)),
    ],
    ids=lambda text: ascii(text[:60]),
)
def test_a_text_that_was_not_minted_is_not_well_formed(text: str) -> None:
    assert not is_wellformed_api_key(text)


def test_no_permission_implies_another() -> None:
    assert set(Permission) == {"read:documents", "write:documents", "admin:documents", "admin:api_keys"}
    for held in Permission:
        caller = replace(CALLER, permissions=frozenset({held}))
        caller.require(held)
        for other in set(Permission) - {held}:
            with pytest.raises(InsufficientPermissions, match=other) as refused:
                caller.require(other)
            assert refused.value.permission == other


@pytest.mark.parametrize(
    ("address", "holder"),
    [
        *(("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7")),
        *(("2001:db8:1:2::1", "2001:db8:1:2::/64"), ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64")),
        *(("2001:db8:1:3::1", "2001:db8:1:3::/64"), ("fe80::1%eth0", "fe80::/64"), ("", "")),
        ("testclient", "testclient"),
    ],
)
def test_a_client_network_is_an_ipv4_address_or_an_ipv6_64_prefix(address: str, holder: str) -> None:
    assert client_network(address) == holder
