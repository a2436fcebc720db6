"""Starting, stopping and being killed, on servers of their own: nothing is lost, nothing is left running.

Kills under load are in tests/crash.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from .client import Client, data_of, error_of
from .service import (
    REPOSITORY,
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


def test_a_restarted_server_finds_everything_again(data_dir: Path, identity: tuple[str, str]) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    with running(data_dir) as server, client_of(server, identity) as client:
        assert postgres_processes(data_dir), "the check for left-over processes would prove nothing"
        path = client.upload(b"kept over a restart")
        first = client.record(path, key)
        document = data_of(first, 201)
        waiting = client.upload(b"uploaded but not recorded")
        assert server.stop() in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
    nothing_is_left_running(data_dir)
    with running(data_dir) as server, client_of(server, identity) as client:
        assert client.record(path, key).content == first.content
        url = client.download_url(document["id"])
        assert client.storage("GET", url).content == b"kept over a restart"
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


def test_control_c_stops_the_server_cleanly(data_dir: Path, identity: tuple[str, str]) -> None:
    with running(data_dir) as server, client_of(server, identity) as client:
        client.recorded()
        assert server.stop(signal.SIGINT) in {0, 130, -signal.SIGINT}
        assert "Traceback" not in server.said()
    nothing_is_left_running(data_dir)


def test_a_killed_server_leaves_no_postgres_behind(data_dir: Path, identity: tuple[str, str]) -> None:
    with running(data_dir) as server, client_of(server, identity) as client:
        document = client.recorded()
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        nothing_is_left_running(data_dir)
    with running(data_dir) as server, client_of(server, identity) as client:
        assert client.storage("GET", client.download_url(document["id"])).content == b"hello"


def test_a_file_that_was_replaced_outside_dossier_is_not_signed(data_dir: Path, identity: tuple[str, str]) -> None:
    with running(data_dir) as server, client_of(server, identity) as client:
        content = f"unlike any other {uuid4()}".encode()
        document = client.recorded(client.upload(content))
        found = [path for path in data_dir.rglob("*") if holds(path, content)]
        assert len(found) == 1
        found[0].unlink()
        found[0].write_bytes(b"swapped")
        route = f"/v1/documents/{document['id']}"
        error_of(client.get(route), 409, "object_changed")
        assert data_of(client.get(f"{route}?download=false"), 200)["size_bytes"] == len(content)


def holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content


@pytest.mark.parametrize("settings", [["serve", "--port", "0"], ["doctor"]])
def test_every_wrong_setting_is_reported_at_once_in_words_before_anything_starts(settings: list[str]) -> None:
    with fresh_data_dir() as empty:
        wrong = {"DOSSIER_STORAGE_URL": "ftp://x", "DOSSIER_RATE_LIMIT_URL": "nonsense"}
        done = subprocess.run(
            [*command(), *settings],
            cwd=REPOSITORY,
            env=environment(empty, **wrong),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode != 0
        for name in wrong:
            assert name in said
        assert re.search(r"\w+ \w+ \w+", said)
        assert "Traceback" not in said
        assert list(empty.rglob("PG_VERSION")) == []
