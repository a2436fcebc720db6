"""A slow client is answered 408 while other clients are served."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from .client import Client, together
from .raw import Answer, send


@pytest.mark.server
def test_a_body_that_does_not_arrive_is_408_and_other_clients_are_served(home: Client) -> None:
    head = (
        f"POST /v1/documents HTTP/1.1\r\nHost: {urlsplit(home.base_url).netloc}\r\nContent-Length: 10\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {home.key}\r\n\r\n{{"
    )
    began = time.monotonic()
    jobs: list[Callable[[], object]] = [lambda: send(home.base_url, head.encode()), home.recorded]
    answer, recorded = together(jobs)
    assert time.monotonic() - began < 15
    assert isinstance(answer, Answer)
    assert answer.status == 408
    assert b'"request_timeout"' in answer.body
    assert "x-request-id" in answer.headers
    assert isinstance(recorded, dict)
