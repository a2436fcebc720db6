"""Guesses of API keys: one address may make sixty a minute. X-Forwarded-For changes the address only behind a trusted
proxy.

These tests have a server of their own, because they use up the guesses of the address.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest

from .client import TLS, UNKNOWN_DOCUMENT_ID, Client, error_of
from .documents import DOCUMENTS, document_path
from .keys import unknown_key
from .poison import HEADER_VALUES
from .raw import ask
from .service import running_server
from .tenants import Tenants

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="needs a server of its own"),
    pytest.mark.timeout(120),
]
UNKNOWN_DOCUMENT = document_path(UNKNOWN_DOCUMENT_ID)
PROXY = "127.0.0.2"
Headers = list[tuple[str, str]]


@pytest.fixture(scope="module")
def direct() -> Iterator[Client]:
    """A client with a valid API key. It calls from 127.0.0.1, which is no trusted proxy."""
    with (
        running_server(DOSSIER_TRUSTED_PROXIES=PROXY) as server,
        closing(Tenants(server.base_url, server.cli)) as tenants,
    ):
        yield tenants.client()


def by(*entries: str) -> Headers:
    """Return one X-Forwarded-For header for each entry."""
    return [("X-Forwarded-For", entry) for entry in entries]


def call(owner: Client, key: str, headers: Headers, *, proxied: bool) -> int:
    """Call from the address of the proxy or directly, and return the status."""
    transport = httpx.HTTPTransport(local_address=PROXY, verify=TLS) if proxied else None
    with closing(Client(owner.base_url, key, admitted=False, transport=transport)) as caller:
        answer = caller.get(UNKNOWN_DOCUMENT, headers)
        if answer.status_code == 429:
            error_of(answer, 429, "rate_limited")
            assert 1 <= int(answer.headers["Retry-After"]) <= 61
        return answer.status_code


def guess(owner: Client, headers: Headers | None = None, *, proxied: bool = False) -> int:
    """Call with a new unknown API key, which has a valid checksum, and return the status: 401 or 429."""
    status = call(owner, unknown_key(), headers or [], proxied=proxied)
    assert status in {401, 429}
    return status


def exhaust(owner: Client, headers: Callable[[int], Headers] = lambda _: [], *, proxied: bool = False) -> None:
    """Guess until the response is 429. That takes sixty guesses, or up to twice as many if a new minute begins
    meanwhile."""
    for number in range(125):
        if guess(owner, headers(number), proxied=proxied) == 429:
            assert number >= 60
            return
    raise AssertionError("125 unknown API keys and no 429")


def test_guesses_are_limited_whatever_address_is_forwarded_and_a_valid_api_key_is_not(direct: Client) -> None:
    exhaust(direct, lambda number: [*by(f"203.0.113.{number}"), ("Forwarded", f"for=203.0.113.{number}")])
    for address in ("198.51.100.1", PROXY):
        assert guess(direct, [*by(address), ("Forwarded", f"for={address}"), ("X-Real-IP", address)]) == 429
    assert direct.get(UNKNOWN_DOCUMENT).status_code == 404
    direct.recorded()


def test_no_value_of_the_authorization_header_is_a_5xx_or_lets_a_caller_in(direct: Client) -> None:
    def status(method: str, path: str, *values: bytes) -> int:
        answer = ask(direct.base_url, method, path.encode(), [("Authorization", value) for value in values], b"")
        assert answer is not None, f"hung up on {values!r:.200}"
        return answer.status

    for value in HEADER_VALUES:
        for method, path in (("GET", UNKNOWN_DOCUMENT), ("POST", DOCUMENTS)):
            for sent in (value, b"Bearer " + value, b"Bearer wbk_" + value):
                assert status(method, path, sent) in {400, 401, 429, 431}, sent[:80]
    assert direct.get(UNKNOWN_DOCUMENT).status_code == 404
    good, wrong = f"Bearer {direct.key}".encode(), b"Bearer wbk_x"
    for two in ((good, good), (good, wrong), (wrong, good)):
        assert status("GET", UNKNOWN_DOCUMENT, *two) < 500


def test_guesses_are_counted_by_the_address_that_the_proxy_appended(direct: Client) -> None:
    exhaust(direct, lambda number: by(f"198.51.100.{number}, 203.0.113.10"), proxied=True)
    for forged in (
        *(by("203.0.113.10"), by("192.0.2.1 , 192.0.2.2 ,\t203.0.113.10"), by("192.0.2.1", "203.0.113.10")),
        *(by("nonsense, 203.0.113.10"), by(", 203.0.113.10"), by(f"203.0.113.11, 203.0.113.10, {PROXY}")),
        [*by("203.0.113.10"), ("Forwarded", "for=192.0.2.1"), ("X-Real-IP", "192.0.2.1")],
    ):
        assert guess(direct, forged, proxied=True) == 429, forged
    for other in (by("203.0.113.10, 203.0.113.12"), []):
        assert guess(direct, other, proxied=True) == 401
    assert call(direct, direct.key or "", by("203.0.113.10"), proxied=True) == 404


def test_a_forwarded_entry_that_is_no_address_causes_no_5xx(direct: Client) -> None:
    for entry in (*("", ",", "nonsense", "999.1.1.1", "[::1", "x" * 4000, "1," * 1000, "2001:db8::%eth0"),):
        guess(direct, by(entry), proxied=True)
        assert call(direct, direct.key or "", by(entry), proxied=True) == 404, entry
