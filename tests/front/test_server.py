"""A real server under clients that offer upgrades, disappear, or hold more connections than it has descriptors for."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest

from tests.acceptance.client import Client, data_of
from tests.acceptance.service import Server, eventually, fresh_data_dir
from tests.acceptance.tenants import Tenants

from .wire import PROBE, Wire

pytestmark = [pytest.mark.slow, pytest.mark.server]

# What the HttpClient of the JDK sends with the first request of each connection.
JDK = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUser-Agent: Java-http-client/21.0.5\r\n"
)
DESCRIPTORS = 400


@pytest.fixture(scope="module")
def client(tenants: Tenants) -> Client:
    return tenants.client()


def target_of(url: str) -> bytes:
    where = urlsplit(url)
    return f"{where.path}?{where.query}".encode()


def put(url: str, content: bytes, *fields: bytes) -> bytes:
    head = b"PUT %b HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n" % target_of(url)
    return head + b"".join(fields) + b"Content-Length: %d\r\n\r\n" % len(content) + content


def test_an_upload_that_offers_h2c_is_recorded_with_all_its_bytes(client: Client, wire: Wire) -> None:
    signed = client.sign_upload("a.txt", "text/plain")
    wire.send(put(signed.upload_url, b"ten thousand words", JDK))
    answer = wire.response()
    assert answer is not None
    assert answer.status == 200
    assert data_of(client.record(signed.storage_path), 201)["size_bytes"] == 18
    assert wire.is_kept()


def test_a_create_that_offers_h2c_is_done(client: Client, wire: Wire) -> None:
    body = b'{"name": "a.txt", "mime_type": "text/plain"}'
    wire.send(
        b"POST /v1/documents/upload-url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n%b"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b" % (JDK, str(client.key).encode(), len(body), body)
    )
    answer = wire.response()
    assert answer is not None
    assert answer.status == 200
    assert wire.is_kept()


def open_files(server: Server) -> int:
    """Return how many stored files the server has open."""
    assert server.process is not None
    directory, found = f"/proc/{server.process.pid}/fd", 0
    for descriptor in os.listdir(directory):
        try:
            found += f"{server.data_dir}/files/" in os.readlink(f"{directory}/{descriptor}")
        except FileNotFoundError:
            continue  # it was closed in the meantime
    return found


def test_a_download_ends_when_its_client_is_gone_although_another_request_waits(server: Server, client: Client) -> None:
    recorded = data_of(client.record(client.upload(bytes(20_000_000))), 201)
    url = data_of(client.get(f"/v1/documents/{recorded['id']}"), 200)["download_url"]
    with closing(Wire(server.base_url, receive_buffer=4096)) as wire:
        wire.send(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target_of(url) + PROBE)
        eventually(lambda: open_files(server) == 1, 10, "the server reads the file")
    eventually(lambda: open_files(server) == 0, 10, "the server closes the file")


@pytest.fixture
def poor_server() -> Iterator[Server]:
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as server:
        server.command = ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}", *server.command]
        server.start()
        yield server


def test_silent_connections_do_not_shut_others_out(poor_server: Server) -> None:
    where = urlsplit(poor_server.base_url)

    def is_served() -> bool:
        with closing(Wire(poor_server.base_url)) as wire:
            wire.send(PROBE)
            answer = wire.response()
            return answer is not None and answer.status == 200

    with ExitStack() as stack:
        for _ in range(DESCRIPTORS):
            stack.enter_context(closing(socket.create_connection((where.hostname, where.port or 80))))
        eventually(is_served, 5, "a new client is served")
        assert is_served()
    said = poor_server.said()
    assert "the limit of file descriptors (ulimit -n) is 400" in said
    assert said.count("the limit of 150 connections is reached") == 1
