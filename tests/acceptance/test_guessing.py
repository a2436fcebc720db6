"""Those who try keys. On a server of their own: what they spend, no other test may need."""

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, error_of
from .keys import unknown_key
from .poison import HEADER_VALUES
from .raw import ask
from .service import Server, fresh_data_dir
from .tenants import Tenants

pytestmark = pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="needs a server of its own")
ONE = f"/v1/documents/{UNKNOWN_DOCUMENT_ID}"


@pytest.fixture(scope="module")
def owner() -> Iterator[Client]:
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as server:
        server.start()
        with closing(Tenants(server.base_url, server.cli)) as tenants:
            yield tenants.client(plan="pro")


def guess(owner: Client, headers: dict[str, str] | None = None) -> int:
    with closing(Client(owner.base_url, unknown_key(owner.key or ""), admitted=False)) as stranger:
        answer = stranger.get(ONE, headers)
        if answer.status_code == 429:
            error_of(answer, 429, "rate_limited")
            assert 1 <= int(answer.headers["Retry-After"]) <= 61
        else:
            error_of(answer, 401, "invalid_key")
        return answer.status_code


@pytest.mark.timeout(120)
def test_unknown_keys_are_refused_after_sixty_a_minute_and_a_valid_one_from_there_never_is(
    owner: Client,
) -> None:
    statuses: list[int] = []
    while 429 not in statuses:
        assert len(statuses) < 240, "240 unknown keys and no 429"
        statuses.append(guess(owner))
    # At most one minute turns while we try, so between one and two windows were admitted.
    assert 60 <= statuses.count(401) <= 120
    assert owner.get(ONE).status_code == 404
    owner.recorded()


def test_a_forwarded_address_does_not_buy_new_guesses(owner: Client) -> None:
    statuses: list[int] = []
    for number in range(240):
        address = f"203.0.113.{number}"
        forged = {"X-Forwarded-For": address, "Forwarded": f"for={address}", "X-Real-IP": address}
        statuses.append(guess(owner, forged))
        if statuses[-1] == 429:
            break
    assert statuses[-1] == 429


def test_no_value_of_the_authorization_header_is_a_5xx_or_lets_anybody_in(owner: Client) -> None:
    for value in HEADER_VALUES:
        for method, path in (("GET", ONE), ("POST", "/v1/documents"), ("POST", "/v1/documents/upload-url")):
            for sent in (value, b"Bearer " + value, b"Bearer wbk_" + value):
                answer = ask(owner.base_url, method, path.encode(), [("Authorization", sent)], b"")
                assert answer is not None, f"hung up on {sent[:80]!r}"
                assert answer.status in {400, 401, 429, 431}, f"{sent[:80]!r} -> {answer.status}"
    assert owner.get(ONE).status_code == 404


def test_two_authorization_headers_are_no_error_of_ours(owner: Client) -> None:
    for first, second in ((owner.key, owner.key), (owner.key, "wbk_x"), ("wbk_x", owner.key)):
        headers = [("Authorization", f"Bearer {key}".encode()) for key in (first, second)]
        answer = ask(owner.base_url, "GET", ONE.encode(), headers)
        assert answer is not None
        assert answer.status < 500
