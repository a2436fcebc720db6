"""Whose address it is."""

import pytest

from domain.access import client_network


@pytest.mark.parametrize(
    ("address", "holder"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv4_address_is_one_holders_and_an_ipv6_address_one_of_2_to_the_64(address: str, holder: str) -> None:
    assert client_network(address) == holder
