"""Starting, stopping and being killed, on servers of our own: nothing is lost, nothing is left running."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="starts and kills servers of its own"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """Used by one server after the other, each on a new port."""
    with fresh_data_dir() as path:
        yield path


@pytest.fixture(scope="module")
def identity(data_dir: Path) -> tuple[str, str]:
    """A workspace and a key, made in an empty data directory before any server ever ran there."""
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
        path = client.upload(b"kept over the night")
        first = client.record(path, key)
        document = data_of(first, 201)
        waiting = client.upload(b"uploaded but not recorded")
        assert server.stop() in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
    nothing_is_left_running(data_dir)
    with running(data_dir) as server, client_of(server, identity) as client:
        assert client.record(path, key).content == first.content
        url = client.download_url(document["id"])
        assert client.storage("GET", url).content == b"kept over the night"
        client.recorded(waiting)


def test_a_storage_directory_that_goes_missing_is_told_and_never_made_anew(
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


def test_control_c_ends_it_cleanly(data_dir: Path, identity: tuple[str, str]) -> None:
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


def test_a_killed_server_loses_nothing_it_acknowledged_and_doubles_nothing(
    data_dir: Path, identity: tuple[str, str]
) -> None:
    """Callers retry with their keys: each intent is one document, and what was answered stays so."""
    enough = threading.Event()
    acknowledged: dict[str, str] = {}

    def fetch_with_retry(client: Client, intent: str, path: str) -> None:
        try:
            answer = client.record(path, {"Idempotency-Key": intent})
        except httpx.TransportError:
            return  # the kill came first: no answer, nothing known
        acknowledged[intent] = data_of(answer, 201)["id"]
        if len(acknowledged) >= 30:
            enough.set()

    with running(data_dir) as server, client_of(server, identity) as client:
        intents = {str(uuid4()): client.upload() for _ in range(120)}
        with ThreadPoolExecutor(8) as pool:
            calls = [pool.submit(fetch_with_retry, client, intent, path) for intent, path in intents.items()]
            assert enough.wait(30)
            server.stop(signal.SIGKILL)
        for call in calls:
            call.result()
    with running(data_dir) as server, client_of(server, identity) as client:
        found = {}
        for intent, path in intents.items():
            answer = client.record(path, {"Idempotency-Key": intent})
            found[intent] = data_of(answer, 201)["id"]
            if intent in acknowledged:
                assert answer.headers["Idempotent-Replayed"] == "true"
    assert len(acknowledged) >= 30
    assert {intent: found[intent] for intent in acknowledged} == acknowledged
    assert len(set(found.values())) == len(intents)


def test_bytes_swapped_behind_our_back_are_signed_no_more(data_dir: Path, identity: tuple[str, str]) -> None:
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


def test_a_key_is_nowhere_but_with_its_owner(data_dir: Path, identity: tuple[str, str]) -> None:
    with running(data_dir) as server, client_of(server, identity) as client:
        client.recorded()
        client.get("/v1/documents/x?download=2", {"Idempotency-Key": "x"})
        server.stop()
        secret = identity[1].encode()
        places = [server.log, *(path for path in data_dir.rglob("*") if path.is_file())]
        assert [path for path in places if secret in path.read_bytes()] == []


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
