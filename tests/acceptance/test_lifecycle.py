"""A server that starts, stops and is killed loses no data and leaves no process running.

Kills under load are in tests/crash.
"""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .client import Client, data_of
from .documents import new_idempotency_key
from .operations import CREATE
from .service import Cli, Server, command, environment, eventually, fresh_data_dir, postgres_processes
from .tenants import Tenants

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="starts and kills servers of its own"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A data directory that several servers use, one after the other."""
    with fresh_data_dir() as path:
        yield path


@pytest.fixture(scope="module")
def identity(data_dir: Path) -> tuple[str, str]:
    """A workspace and an API key, made in an empty data directory before a server ever ran there."""
    with closing(Tenants("", Cli(command(), environment(data_dir)))) as tenants:
        workspace = tenants.workspace()
        return workspace, tenants.api_key(workspace).key


@contextmanager
def running(data_dir: Path, identity: tuple[str, str]) -> Iterator[tuple[Server, Client]]:
    with closing(Server(data_dir)) as server:
        server.start()
        with closing(Client(server.base_url, identity[1], identity[0])) as client:
            yield server, client


def nothing_is_left_running(data_dir: Path) -> None:
    eventually(lambda: not postgres_processes(data_dir), 10, "no Postgres process is left")


def test_commands_work_while_no_server_runs(data_dir: Path, identity: tuple[str, str]) -> None:
    nothing_is_left_running(data_dir)
    cli = Cli(command(), environment(data_dir))
    assert identity[0] in str(cli.ask("workspace", "list"))
    cli.ask("doctor")
    cli.ask("migrate")
    nothing_is_left_running(data_dir)


def test_nothing_is_lost_however_the_server_ended(data_dir: Path, identity: tuple[str, str]) -> None:
    with running(data_dir, identity) as (server, client):
        assert postgres_processes(data_dir), "the check for left-over processes would prove nothing"
        create, key = CREATE.call(client), new_idempotency_key()
        first = create.send(client, key)
        waiting = client.upload(b"uploaded but not recorded")
        assert server.stop(signal.SIGTERM) == 0
        assert "Traceback" not in server.said()
    for sign in (signal.SIGINT, signal.SIGKILL, signal.SIGTERM):
        nothing_is_left_running(data_dir)
        with running(data_dir, identity) as (server, client):
            assert create.send(client, key).content == first.content
            url = client.download_url(data_of(first, 201)["id"])
            assert client.storage("GET", url).content == b"hello"
            client.recorded(waiting)
            waiting = client.upload(b"uploaded but not recorded")
            assert server.stop(sign) in {0, -sign, 128 + sign}
            assert "Traceback" not in server.said()
    nothing_is_left_running(data_dir)


def test_an_upload_that_a_stop_cuts_off_is_answered_503_as_json(data_dir: Path, identity: tuple[str, str]) -> None:
    with running(data_dir, identity) as (server, client):
        where = urlsplit(client.sign_upload("a.bin", "application/octet-stream").upload_url)
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


@pytest.mark.parametrize(
    ("option", "wrong", "words"),
    [
        ("", {"STORAGE_URL": "ftp://x", "RATE_LIMIT_URL": "nonsense"}, ["STORAGE_URL", "RATE_LIMIT_URL", "must be"]),
        ("--workers=2", {}, ["RATE_LIMIT_URL is memory://", "valkey://"]),
    ],
    ids=["wrong settings", "workers without a shared rate limit"],
)
def test_wrong_settings_are_explained_before_the_start(option: str, wrong: dict[str, str], words: list[str]) -> None:
    with fresh_data_dir() as empty:
        settings = {f"DOSSIER_{name}": value for name, value in wrong.items()}
        done = Cli(command(), environment(empty, **settings)).run("serve", "--port=0", *filter(None, [option]))
        assert done.returncode == 1
        assert all(text in done.stderr for text in words)
        assert "Traceback" not in done.stderr
        assert list(empty.iterdir()) == []
