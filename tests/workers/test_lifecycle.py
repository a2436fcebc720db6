"""Workers stop, are killed and are replaced, and no client loses a response."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.client import Client
from tests.acceptance.service import Server, eventually, postgres_processes
from tests.acceptance.tenants import Tenants
from tests.crash.scale import SOAK

from .conftest import Running
from .load import CLIENTS, ledger_of, load_on, until_answered
from .processes import accepting, check_log, runs, variable_of, wait_for_all_workers, workers_of

pytestmark = pytest.mark.timeout(300)

ROUNDS = 50 if SOAK else 1
COUNTERS = "PROMETHEUS_MULTIPROC_DIR"


@pytest.fixture(scope="module")
def started(running: Running) -> Iterator[Server]:
    with running(2) as server:
        yield server


@pytest.fixture
def pair(started: Server) -> Server:
    """A server with two workers and an empty log. The test may stop it."""
    if started.process is None or started.process.poll() is not None:
        started.start()
    wait_for_all_workers(started)
    started.log.write_bytes(b"")
    return started


@pytest.fixture(scope="module")
def api_key(started: Server) -> Client:
    """A client with an API key of the server. Use `client` to send requests: a restarted server has another port."""
    with closing(Tenants(started.base_url, started.cli)) as tenants:
        return tenants.client()


@pytest.fixture
def client(pair: Server, api_key: Client) -> Iterator[Client]:
    with closing(Client(pair.base_url, api_key.key, api_key.workspace)) as client:
        yield client


def send(server: Server, sign: signal.Signals) -> None:
    """Send a signal as a terminal does: Ctrl-C goes to the whole process group."""
    assert server.process is not None
    if sign is signal.SIGINT:
        os.killpg(server.process.pid, sign)
    else:
        server.process.send_signal(sign)


@pytest.mark.parametrize("workers", [1, 2, 4] if SOAK else [1, 2], ids="workers={}".format)
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
async def test_accepted_requests_are_answered_at_a_stop(workers: int, running: Running, sign: signal.Signals) -> None:
    """One request completes its body after the stop. Under load, every recorded document was answered."""
    for _ in range(ROUNDS):
        with running(workers) as server, closing(Tenants(server.base_url, server.cli)) as tenants:
            ledger, port = ledger_of(server, tenants.client()), server.port
            (late,) = ledger.intend(1)
            with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
                wire.sendall(late.request[:-1])
                async with load_on(server, ledger):
                    await until_answered(ledger, 50)
                    send(server, sign)
                    await asyncio.to_thread(wait_until_port_closes, port)
                    send(server, sign)
                wire.sendall(late.request[-1:])
                assert wire.recv(100).startswith(b"HTTP/1.1 201 ")
            assert server.process is not None
            assert await asyncio.to_thread(server.process.wait, 20) == 0
            check_log(server)
            server.launch(port)
            server.wait_until_ready()
            for intent in ledger.intents:
                if not intent.answers:
                    reply = await ledger.send_once(intent, port)
                    assert reply.replayed is (intent is late), "recorded without an answer"
            assert ledger.unavailable == 0


def wait_until_port_closes(port: int) -> None:
    def is_refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            pass  # The kernel had accepted the connection, and the server never did.
        return False

    eventually(is_refused, 10, "the port is closed")


async def test_a_killed_worker_is_replaced_and_a_hangup_replaces_every_worker(pair: Server, client: Client) -> None:
    before = wait_for_all_workers(pair)
    victim = min(before)
    ledger = ledger_of(pair, client)
    async with load_on(pair, ledger):
        await until_answered(ledger, 30)
        os.kill(victim, signal.SIGKILL)
        await until_answered(ledger, 100)
        await until(lambda: len(accepting(pair) - {victim}) == 2, "all workers accept connections again")
        assert accepting(pair) & before == before - {victim}
        assert f"worker {victim} ended with -9" in pair.said()
    assert ledger.interrupted <= CLIENTS, "more requests failed than the victim can have accepted"
    assert ledger.unavailable == 0

    before = wait_for_all_workers(pair)
    ledger = ledger_of(pair, client)
    async with load_on(pair, ledger):
        await until_answered(ledger, 30)
        send(pair, signal.SIGHUP)
        await until(lambda: len(accepting(pair) - before) == 2 == len(workers_of(pair)), "all workers are new")
        await until_answered(ledger, 30)
    assert (ledger.unavailable, ledger.interrupted) == (0, 0)
    check_log(pair)


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until `holds`, while the clients of this event loop go on."""
    await asyncio.to_thread(eventually, holds, 90, what)


def test_workers_end_when_their_parent_is_killed_and_a_new_server_gets_the_port(pair: Server) -> None:
    orphans = wait_for_all_workers(pair)
    counters = Path(variable_of(min(orphans), COUNTERS))
    assert list(counters.iterdir()), "the workers keep their counters elsewhere, so the test proves nothing"
    pair.stop(signal.SIGKILL)
    pair.launch(pair.port)
    eventually(lambda: not any(map(runs, orphans)), 5, "the orphans have ended")
    assert not counters.exists()
    pair.wait_until_ready()
    wait_for_all_workers(pair)
    assert "cannot listen" not in pair.said()


def test_a_stop_signal_to_the_whole_group_leaves_no_process_and_no_counters(pair: Server) -> None:
    workers = workers_of(pair)
    counters = Path(variable_of(min(workers), COUNTERS))
    assert counters.exists()
    assert pair.process is not None
    os.killpg(pair.process.pid, signal.SIGTERM)
    assert pair.process.wait(20) == 0
    assert "another one takes its place" not in pair.said()
    assert not any(map(runs, workers))
    assert not counters.exists()
    assert postgres_processes(pair.data_dir) == []
    check_log(pair)


def client_can_create(client: Client) -> bool:
    try:
        client.recorded()
    except AssertionError:
        return False
    return True


def test_a_worker_that_cannot_be_replaced_does_not_stop_the_others(pair: Server, client: Client) -> None:
    postmaster = int((pair.data_dir / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0])
    before = wait_for_all_workers(pair)
    victim = min(before)
    # The other worker has a connection for writes already, and nothing else uses it. Only new connections need the
    # postmaster.
    os.kill(postmaster, signal.SIGSTOP)
    try:
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: pair.said().count("another one takes its place") > 1, 60, "a second replacement is started")
        eventually(lambda: client_can_create(client), 20, "the other worker records a document")
    finally:
        os.kill(postmaster, signal.SIGCONT)
    assert wait_for_all_workers(pair) >= before - {victim}
