"""Workers stop, are killed and are replaced, and no client loses an answer to it."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from tests.acceptance.client import Client
from tests.acceptance.service import Server, eventually, postgres_processes
from tests.acceptance.tenants import Tenants

from .conftest import Running
from .load import CLIENTS, load_on
from .processes import (
    accepting,
    check_log,
    children_of,
    port_of,
    runs,
    variable_of,
    wait_for_all_workers,
    workers_of,
)
from .race import create

pytestmark = pytest.mark.timeout(300)

LONG = "SOAK" in os.environ
ROUNDS = 50 if LONG else 1
COUNTERS = "PROMETHEUS_MULTIPROC_DIR"
SEVERAL = 2


def owner_of(server: Server) -> Client:
    return Tenants(server.base_url, server.cli).client()


def send(server: Server, sign: signal.Signals) -> None:
    """Send a signal as a terminal does: Ctrl-C goes to the whole process group."""
    assert server.process is not None
    if sign is signal.SIGINT:
        os.killpg(server.process.pid, sign)
    else:
        server.process.send_signal(sign)


@pytest.mark.parametrize("workers", [1, 2, 4] if LONG else [1, 2], ids="workers={}".format)
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
async def test_every_accepted_request_is_answered_even_if_the_stop_signal_comes_twice(
    workers: int, running: Running, sign: signal.Signals
) -> None:
    """One request completes its body after the stop. Under load, every recorded document was answered."""
    for _ in range(ROUNDS):
        with running(workers) as server, closing(owner_of(server)) as client:
            port = port_of(server)
            with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
                request = create(client.key or "", client.document(client.upload()), str(uuid4()))
                wire.sendall(request[:-1])
                async with load_on(server, client) as load:
                    await load.until_answered(50)
                    send(server, sign)
                    await asyncio.to_thread(wait_until_port_closes, port)
                    send(server, sign)
                wire.sendall(request[-1:])
                assert wire.recv(100).startswith(b"HTTP/1.1 201 ")
            assert server.process is not None
            assert await asyncio.to_thread(server.process.wait, 20) == 0
            check_log(server)
            server.launch(port)
            server.wait_until_ready()
            for intent in set(load.intents) - load.answered:
                await load.create(port, intent)
            assert load.refused == []
            assert load.recorded_unanswered == []


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


async def test_a_killed_worker_is_replaced_and_a_hangup_replaces_every_worker_while_requests_are_answered(
    running: Running,
) -> None:
    with running(SEVERAL) as server, closing(owner_of(server)) as client:
        before = wait_for_all_workers(server)
        victim = min(before)
        async with load_on(server, client) as load:
            await load.until_answered(30)
            os.kill(victim, signal.SIGKILL)
            await load.until_answered(100)
            await until(lambda: len(accepting(server) - {victim}) == SEVERAL, "all workers accept connections again")
            assert accepting(server) & before == before - {victim}
            assert f"worker {victim} ended with -9" in server.said()
        assert len(load.interrupted) <= CLIENTS, "more requests failed than the victim can have accepted"
        assert load.refused == []

        before = wait_for_all_workers(server)
        async with load_on(server, client) as load:
            await load.until_answered(30)
            send(server, signal.SIGHUP)
            await until(
                lambda: len(accepting(server) - before) == SEVERAL == len(workers_of(server)), "all workers are new"
            )
            await load.until_answered(30)
        assert (load.refused, load.interrupted) == ([], [])
        assert server.stop() == 0
        check_log(server)


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until `holds`, while the clients of this event loop go on."""
    await asyncio.to_thread(eventually, holds, 90, what)


def test_workers_end_when_their_parent_is_killed_and_a_new_server_gets_the_port(running: Running) -> None:
    with running(SEVERAL) as server:
        orphans = wait_for_all_workers(server)
        counters = Path(variable_of(min(orphans), COUNTERS))
        assert list(counters.iterdir()), "the workers keep their counters elsewhere, so the test proves nothing"
        port = port_of(server)
        server.stop(signal.SIGKILL)
        server.launch(port)
        eventually(lambda: not any(map(runs, orphans)), 5, "the orphans have ended")
        assert not counters.exists()
        server.wait_until_ready()
        wait_for_all_workers(server)
        assert "cannot listen" not in server.said()


def test_a_stop_signal_to_every_process_of_the_group_is_one_stop_and_leaves_no_process_and_no_counters(
    running: Running,
) -> None:
    with running(SEVERAL) as server:
        workers = workers_of(server)
        counters = Path(variable_of(min(workers), COUNTERS))
        assert counters.exists()
        assert server.process is not None
        os.killpg(server.process.pid, signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert "another one takes its place" not in server.said()
        assert not any(map(runs, workers))
        assert not counters.exists()
        assert postgres_processes(server.data_dir) == []
        check_log(server)


async def test_a_killed_embedded_postgres_is_started_again(running: Running) -> None:
    with running(2) as server, closing(owner_of(server)) as client:
        (keeper,) = children_of(server, b"adapters.postgres.keeper")
        os.kill(keeper, signal.SIGKILL)
        eventually(lambda: client_can_create(client), 30, "documents are recorded again")
        assert len(workers_of(server)) == 2


def client_can_create(client: Client) -> bool:
    try:
        client.recorded()
    except AssertionError:
        return False
    return True


def test_a_worker_that_cannot_be_replaced_without_postgres_does_not_stop_the_others(running: Running) -> None:
    with running(2) as server, closing(owner_of(server)) as client:
        postmaster = int((server.data_dir / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0])
        before = wait_for_all_workers(server)
        victim = min(before)
        # The other worker has a connection already. Only new connections need the postmaster.
        os.kill(postmaster, signal.SIGSTOP)
        try:
            os.kill(victim, signal.SIGKILL)
            eventually(
                lambda: server.said().count("another one takes its place") > 1, 60, "a second replacement is started"
            )
            client.recorded()
        finally:
            os.kill(postmaster, signal.SIGCONT)
        assert wait_for_all_workers(server) >= before - {victim}
        assert server.stop() == 0
