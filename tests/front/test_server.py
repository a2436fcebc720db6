"""A real server under clients that disappear, or hold more connections than it has descriptors for."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest

from tests.acceptance.service import Server, eventually, fresh_data_dir
from tests.acceptance.tenants import Tenants

from .wire import PROBE, Wire, target_of

pytestmark = [pytest.mark.slow, pytest.mark.server]

DESCRIPTORS = 400


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


def test_a_download_stops_when_its_client_disconnects(own_server: Server, own_tenants: Tenants) -> None:
    client = own_tenants.client()
    url = client.download_url(client.recorded(client.upload(bytes(20_000_000)))["id"])
    with closing(Wire(own_server.base_url, receive_buffer=4096)) as wire:
        wire.send(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target_of(url) + PROBE)
        eventually(lambda: open_files(own_server) == 1, 10, "the server reads the file")
    eventually(lambda: open_files(own_server) == 0, 10, "the server closes the file")


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
        eventually(is_served, 20, "a new client is served")
        assert is_served()
    said = poor_server.said()
    assert "the limit of file descriptors (ulimit -n) is 400" in said
    assert said.count("the limit of 100 connections is reached") == 1
