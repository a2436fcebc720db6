"""Starting, stopping and being killed, on servers of their own: nothing is lost, nothing is left running.

Kills under load are in tests/crash.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from .client import Client, data_of, error_of
from .documents import document_path, new_idempotency_key
from .operations import CREATE
from .service import (
    Cli,
    Server,
    command,
    environment,
    eventually,
    fresh_data_dir,
    postgres_processes,
)
from .tenants import Tenants

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="starts and kills servers of its own"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """The data directory of one server after the other."""
    with fresh_data_dir() as path:
        yield path


@pytest.fixture(scope="module")
def identity(data_dir: Path) -> tuple[str, str]:
    """A workspace and an API key, made in an empty data directory before a server ever ran there."""
    with closing(Tenants("", Cli(command(), environment(data_dir)))) as tenants:
        workspace = tenants.workspace()
        key = tenants.api_key(workspace).key
    nothing_is_left_running(data_dir)
    return workspace, key


@contextmanager
def running(data_dir: Path) -> Iterator[Server]:
    with closing(Server(data_dir)) as server:
        server.start()
        yield server


@contextmanager
def client_of(server: Server, identity: tuple[str, str]) -> Iterator[Client]:
    with closing(Client(server.base_url, identity[1], identity[0])) as client:
        yield client


def nothing_is_left_running(data_dir: Path) -> None:
    eventually(lambda: not postgres_processes(data_dir), 10, "no Postgres process is left")


def test_commands_work_while_no_server_runs(data_dir: Path, identity: tuple[str, str]) -> None:
    cli = Cli(command(), environment(data_dir))
    assert identity[0] in str(cli.ask("workspace", "list"))
    cli.ask("doctor")
    cli.ask("migrate")
    nothing_is_left_running(data_dir)


def test_everything_is_found_again_however_the_server_ended(data_dir: Path, identity: tuple[str, str]) -> None:
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with running(data_dir) as server, client_of(server, identity) as client:
            assert postgres_processes(data_dir), "the check for left-over processes would prove nothing"
            create, key = CREATE.call(client), new_idempotency_key()
            first = create.send(client, key)
            waiting = client.upload(b"uploaded but not recorded")
            assert server.stop(sign) in {0, -sign, 128 + sign}
            assert "Traceback" not in server.said()
        nothing_is_left_running(data_dir)
        with running(data_dir) as server, client_of(server, identity) as client:
            assert create.send(client, key).content == first.content
            url = client.download_url(data_of(first, 201)["id"])
            assert client.storage("GET", url).content == b"hello"
            client.recorded(waiting)


def test_a_missing_storage_directory_is_reported_and_never_created_again(
    data_dir: Path, identity: tuple[str, str]
) -> None:
    files, elsewhere = data_dir / "files", data_dir / "elsewhere"
    with running(data_dir) as server, client_of(server, identity) as client:
        path, signed = client.upload(b"kept"), client.sign_upload()
        files.rename(elsewhere)
        server.cli.ask("keys", "list")
        assert server.cli.run("doctor").returncode == 1
        with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {client.key}"}) as http:
            answers = [
                http.post(f"{server.base_url}/v1/documents", json=client.document(path)),
                http.put(signed.upload_url, headers=signed.headers, content=b"new"),
                http.get(f"{server.base_url}/health/ready"),
            ]
        for answer in answers:
            error_of(answer, 503, "unavailable")
        assert not files.exists()
        elsewhere.rename(files)
        document = client.recorded(path)
        assert client.storage("GET", client.download_url(document["id"])).content == b"kept"


def test_a_file_that_was_replaced_outside_dossier_is_not_signed(data_dir: Path, identity: tuple[str, str]) -> None:
    with running(data_dir) as server, client_of(server, identity) as client:
        content = f"unlike any other {uuid4()}".encode()
        document = client.recorded(client.upload(content))
        found = [path for path in data_dir.rglob("*") if holds(path, content)]
        assert len(found) == 1
        found[0].unlink()
        found[0].write_bytes(b"swapped")
        route = document_path(document["id"])
        error_of(client.get(route), 409, "object_changed")
        assert data_of(client.get(f"{route}?download=false"), 200)["size_bytes"] == len(content)


def holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content


@pytest.mark.parametrize("words", [["serve", "--port", "0"], ["doctor"]])
def test_every_wrong_setting_is_reported_at_once_in_words_before_anything_starts(words: list[str]) -> None:
    with fresh_data_dir() as empty:
        wrong = {"DOSSIER_STORAGE_URL": "ftp://x", "DOSSIER_RATE_LIMIT_URL": "nonsense"}
        done = Cli(command(), environment(empty, **wrong)).run(*words)
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert all(name in said for name in wrong)
        assert re.search(r"\w+ \w+ \w+", said)
        assert "Traceback" not in said
        assert list(empty.rglob("PG_VERSION")) == []
