"""The network that wrong API keys are counted by."""

import pytest

from domain.access import client_network


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
