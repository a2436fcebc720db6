"""Behind a proxy that is trusted: whose guesses are counted together. On a server of its own, as they are spent."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, error_of
from .keys import unknown_key
from .service import Server, fresh_data_dir
from .tenants import Tenants

pytestmark = [
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="needs a server of its own"),
    pytest.mark.timeout(120),
]
ONE = f"/v1/documents/{UNKNOWN_DOCUMENT_ID}"
Forwarded = list[tuple[str, str]]


@pytest.fixture(scope="module")
def tenants() -> Iterator[Tenants]:
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as server:
        server.env["DOSSIER_TRUSTED_PROXIES"] = "127.0.0.1"
        server.start()
        with closing(Tenants(server.base_url, server.cli)) as ours:
            yield ours


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    return tenants.client()


@pytest.fixture(scope="module")
def stranger(tenants: Tenants) -> Client:
    return tenants.connect(None)


@pytest.fixture(scope="module")
def unknown(owner: Client) -> str:
    return unknown_key(owner.key or "")


def by(*entries: str) -> Forwarded:
    """One X-Forwarded-For header for each entry."""
    return [("X-Forwarded-For", entry) for entry in entries]


def guess(stranger: Client, unknown: str, forwarded: Forwarded) -> int:
    answer = stranger.get(ONE, [("Authorization", f"Bearer {unknown}"), *forwarded])
    if answer.status_code == 429:
        error_of(answer, 429, "rate_limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
    else:
        error_of(answer, 401, "invalid_key")
    return answer.status_code


def exhaust(stranger: Client, unknown: str, forwarded: Callable[[int], Forwarded]) -> None:
    """Guess until it is 429: after one minute's sixty, or two minutes' when the minute turns."""
    for number in range(125):
        if guess(stranger, unknown, forwarded(number)) == 429:
            assert number >= 60
            return
    raise AssertionError("125 unknown keys and no 429")


def test_addresses_that_a_trusted_proxy_forwards_are_counted_apart(stranger: Client, unknown: str) -> None:
    exhaust(stranger, unknown, lambda _: by("203.0.113.1"))
    assert guess(stranger, unknown, by("203.0.113.2")) == 401
    assert guess(stranger, unknown, []) == 401


def test_what_the_client_itself_put_before_the_proxys_entry_buys_nothing(stranger: Client, unknown: str) -> None:
    exhaust(stranger, unknown, lambda number: by(f"198.51.100.{number}, 203.0.113.10"))
    for forged in (
        by("203.0.113.10"),
        by("192.0.2.1,203.0.113.10"),
        by("192.0.2.1 , 192.0.2.2 ,\t203.0.113.10"),
        by("192.0.2.1", "203.0.113.10"),
        by("nonsense, 203.0.113.10"),
        by(", 203.0.113.10"),
        by("127.0.0.1, 203.0.113.10"),
        by("203.0.113.11, 203.0.113.10, 127.0.0.1"),
        [*by("203.0.113.10"), ("Forwarded", "for=192.0.2.1"), ("X-Real-IP", "192.0.2.1")],
    ):
        assert guess(stranger, unknown, forged) == 429, forged
    assert guess(stranger, unknown, by("203.0.113.10, 203.0.113.12")) == 401


def test_the_addresses_of_one_ipv6_network_share_a_count(stranger: Client, unknown: str) -> None:
    exhaust(stranger, unknown, lambda number: by(f"2001:db8:0:1:{number:x}::{number:x}"))
    for address in ("2001:db8:0:1::", "2001:DB8:0:1:FFFF:FFFF:FFFF:FFFF", "2001:0db8:0000:0001::9"):
        assert guess(stranger, unknown, by(address)) == 429, address
    assert guess(stranger, unknown, by("2001:db8:0:2::1")) == 401


def test_an_ipv4_address_in_ipv6_clothes_is_that_address(stranger: Client, unknown: str) -> None:
    exhaust(stranger, unknown, lambda _: by("::ffff:203.0.113.20"))
    assert guess(stranger, unknown, by("203.0.113.20")) == 429
    assert guess(stranger, unknown, by("::ffff:203.0.113.21")) == 401


def test_a_valid_key_behind_an_exhausted_address_is_never_refused(
    owner: Client, stranger: Client, unknown: str
) -> None:
    exhaust(stranger, unknown, lambda _: by("203.0.113.30"))
    for _ in range(20):
        assert owner.get(ONE, by("203.0.113.30")).status_code == 404
    assert guess(stranger, unknown, by("203.0.113.30")) in {429, 401}


@pytest.mark.parametrize(
    "entry",
    [
        "",
        ",",
        "nonsense",
        "999.1.1.1",
        "::ffff:",
        "[::1",
        "x" * 4000,
        "1," * 1000,
        "unknown",
        "_hidden",
        "2001:db8::%eth0",
    ],
)
def test_what_is_no_address_is_no_error_of_ours(owner: Client, stranger: Client, unknown: str, entry: str) -> None:
    assert guess(stranger, unknown, by(entry)) in {401, 429}
    assert owner.get(ONE, by(entry)).status_code == 404
