"""A slow client is answered 408, and a server that stops answers the requests that it cuts off."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest

from .client import Client, together
from .raw import Answer, send
from .service import Server, fresh_data_dir
from .tenants import Tenants

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="stops a server of its own"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def server() -> Iterator[Server]:
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as server:
        server.start()
        yield server


@pytest.fixture
def owner(server: Server) -> Iterator[Client]:
    with closing(Tenants(server.base_url, server.cli)) as tenants:
        yield tenants.client(plan="org")


def test_a_body_that_does_not_arrive_is_408_and_other_clients_are_served(owner: Client) -> None:
    head = (
        f"POST /v1/documents HTTP/1.1\r\nHost: {urlsplit(owner.base_url).netloc}\r\nContent-Length: 10\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {owner.key}\r\n\r\n{{"
    )
    began = time.monotonic()
    jobs: list[Callable[[], object]] = [lambda: send(owner.base_url, head.encode()), owner.recorded]
    answer, recorded = together(jobs)
    assert time.monotonic() - began < 15
    assert isinstance(answer, Answer)
    assert answer.status == 408
    assert b'"request_timeout"' in answer.body
    assert "x-request-id" in answer.headers
    assert isinstance(recorded, dict)


def test_an_upload_cut_off_by_the_stop_is_answered_503_in_the_envelope(server: Server, owner: Client) -> None:
    where = urlsplit(owner.sign_upload("a.bin", "application/octet-stream").upload_url)
    with socket.create_connection((where.hostname, where.port or 80), timeout=30) as wire:
        wire.sendall(
            f"PUT {where.path}?{where.query} HTTP/1.1\r\nHost: {where.netloc}\r\n"
            "Content-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\n".encode()
        )
        assert server.process is not None
        answered = threading.Event()

        def send_slowly() -> None:
            with suppress(OSError):
                while not answered.wait(0.5):
                    wire.sendall(b"x")

        sending = threading.Thread(target=send_slowly)
        sending.start()
        server.process.send_signal(signal.SIGTERM)
        answer = b""
        while piece := wire.recv(4096):
            answer += piece
        answered.set()
        sending.join()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"unavailable"' in answer
    assert b"x-request-id" in answer
    assert server.process.wait(20) == 0
