"""Guessed API keys: sixty a minute from one address, which forwarded headers change only behind a trusted proxy.

On servers of their own: the guesses that these tests spend are missing to no other test.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, error_of
from .documents import DOCUMENTS, document_path
from .keys import unknown_key
from .poison import HEADER_VALUES
from .raw import ask
from .service import Server, fresh_data_dir
from .tenants import Tenants

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="needs servers of its own"),
    pytest.mark.timeout(120),
]
UNKNOWN_DOCUMENT = document_path(UNKNOWN_DOCUMENT_ID)
Headers = list[tuple[str, str]]


@contextmanager
def open_tenants(**settings: str) -> Iterator[Tenants]:
    with fresh_data_dir() as data_dir, closing(Server(data_dir, 1, **settings)) as server:
        server.start()
        with closing(Tenants(server.base_url, server.cli)) as tenants:
            yield tenants


@pytest.fixture(scope="module")
def direct() -> Iterator[Client]:
    """A client with a valid API key on a server without proxies."""
    with open_tenants() as tenants:
        yield tenants.client(plan="pro")


@pytest.fixture(scope="module")
def proxied() -> Iterator[Client]:
    """One on a server that trusts the proxy 127.0.0.1, from where these tests call it."""
    with open_tenants(DOSSIER_TRUSTED_PROXIES="127.0.0.1") as tenants:
        yield tenants.client()


def by(*entries: str) -> Headers:
    """Return one X-Forwarded-For header for each entry."""
    return [("X-Forwarded-For", entry) for entry in entries]


def guess(owner: Client, headers: Headers | None = None) -> int:
    """Call with a new unknown API key, which has the checksum of a valid one, and return the status."""
    with closing(Client(owner.base_url, unknown_key(owner.key or ""), admitted=False)) as guesser:
        answer = guesser.request("GET", UNKNOWN_DOCUMENT, headers=headers)
        if answer.status_code == 429:
            error_of(answer, 429, "rate_limited")
            assert 1 <= int(answer.headers["Retry-After"]) <= 61
        else:
            error_of(answer, 401, "invalid_key")
        return answer.status_code


def exhaust(owner: Client, headers: Callable[[int], Headers] = lambda _: []) -> None:
    """Guess until it is 429: after the sixty of one minute, or those of two when the minute turns."""
    for number in range(125):
        if guess(owner, headers(number)) == 429:
            assert number >= 60
            return
    raise AssertionError("125 unknown API keys and no 429")


def test_sixty_unknown_api_keys_a_minute_are_answered_and_a_valid_one_from_there_always(direct: Client) -> None:
    exhaust(direct)
    assert direct.get(UNKNOWN_DOCUMENT).status_code == 404
    direct.recorded()


def test_a_forwarded_address_buys_no_guesses_without_a_trusted_proxy(direct: Client) -> None:
    statuses = []
    for address in (f"203.0.113.{number}" for number in range(125)):
        statuses.append(guess(direct, [*by(address), ("Forwarded", f"for={address}"), ("X-Real-IP", address)]))
        if statuses[-1] == 429:
            break
    assert statuses[-1] == 429


def test_no_value_of_the_authorization_header_is_a_5xx_or_lets_a_caller_in(direct: Client) -> None:
    for value in HEADER_VALUES:
        for method, path in (("GET", UNKNOWN_DOCUMENT), ("POST", DOCUMENTS)):
            for sent in (value, b"Bearer " + value, b"Bearer wbk_" + value):
                answer = ask(direct.base_url, method, path.encode(), [("Authorization", sent)], b"")
                assert answer is not None, f"hung up on {sent[:80]!r}"
                assert answer.status in {400, 401, 429, 431}, f"{sent[:80]!r} -> {answer.status}"
    assert direct.get(UNKNOWN_DOCUMENT).status_code == 404


def test_two_authorization_headers_are_no_server_error(direct: Client) -> None:
    for first, second in ((direct.key, direct.key), (direct.key, "wbk_x"), ("wbk_x", direct.key)):
        headers = [("Authorization", f"Bearer {key}".encode()) for key in (first, second)]
        answer = ask(direct.base_url, "GET", UNKNOWN_DOCUMENT.encode(), headers)
        assert answer is not None
        assert answer.status < 500


# Behind a trusted proxy


def test_addresses_that_a_trusted_proxy_forwards_are_counted_apart(proxied: Client) -> None:
    exhaust(proxied, lambda _: by("203.0.113.1"))
    assert guess(proxied, by("203.0.113.2")) == 401
    assert guess(proxied) == 401
    for _ in range(20):
        assert proxied.request("GET", UNKNOWN_DOCUMENT, headers=by("203.0.113.1")).status_code == 404


def test_what_the_client_puts_before_the_entry_of_the_proxy_buys_no_guesses(proxied: Client) -> None:
    exhaust(proxied, lambda number: by(f"198.51.100.{number}, 203.0.113.10"))
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
        assert guess(proxied, forged) == 429, forged
    assert guess(proxied, by("203.0.113.10, 203.0.113.12")) == 401


def test_the_addresses_of_one_ipv6_network_share_a_count(proxied: Client) -> None:
    """How addresses are grouped is proven by tests/domain/test_access.py."""
    exhaust(proxied, lambda number: by(f"2001:db8:0:1:{number:x}::{number:x}"))
    assert guess(proxied, by("2001:DB8:0:1:FFFF:FFFF:FFFF:FFFF")) == 429
    assert guess(proxied, by("2001:db8:0:2::1")) == 401


@pytest.mark.parametrize(
    "entry",
    [
        *("", ",", "nonsense", "999.1.1.1", "::ffff:", "[::1", "x" * 4000, "1," * 1000, "unknown", "_hidden"),
        "2001:db8::%eth0",
    ],
)
def test_an_entry_that_is_no_address_is_no_server_error(proxied: Client, entry: str) -> None:
    assert guess(proxied, by(entry)) in {401, 429}
    assert proxied.request("GET", UNKNOWN_DOCUMENT, headers=by(entry)).status_code == 404
