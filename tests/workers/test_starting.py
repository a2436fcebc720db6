"""Workers cannot start, or are stopped or restarted before all have started."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.embedded import open_embedded
from tests.acceptance.service import Server, eventually, fresh_data_dir
from tests.valkey import ValkeyServer

from .conftest import Running
from .processes import workers_of

pytestmark = pytest.mark.timeout(300)


@contextmanager
def starting_server(new_server: Callable[[Path, int], Server], workers: int) -> Iterator[Server]:
    """Run a server whose first worker starts or answers while the others are not started yet."""
    with fresh_data_dir() as data_dir, closing(new_server(data_dir, workers)) as server:
        server.launch()
        eventually(lambda: len(workers_of(server)) == 1, 60, "the first worker runs")
        yield server


@pytest.mark.parametrize("first_answers", [False, True])
def test_a_stop_before_all_workers_have_started_succeeds(
    new_server: Callable[[Path, int], Server], first_answers: bool
) -> None:
    with starting_server(new_server, 4) as server:
        if first_answers:
            server.wait_until_ready()
        assert server.stop() == 0
        assert "ERROR" not in server.said()


def test_a_hangup_before_all_workers_have_started_waits_until_they_have(
    new_server: Callable[[Path, int], Server],
) -> None:
    with starting_server(new_server, 2) as server:
        server.wait_until_ready()
        assert server.process is not None
        first = workers_of(server)
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(workers_of(server) - first) == 2 == len(workers_of(server)), 90, "all workers are new")
        assert server.stop() == 0
        assert "ERROR" not in server.said()


def test_a_stop_while_workers_are_replaced_is_not_delayed(running: Running) -> None:
    with running(4) as server:
        assert server.process is not None
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(workers_of(server)) == 5, 30, "the first replacement is started")
        server.process.terminate()
        # Replacing the other three would take longer than this, even on an idle machine.
        assert server.process.wait(10) == 0
        assert "ERROR" not in server.said()


def test_a_stop_signal_to_every_process_of_the_group_is_one_stop(running: Running) -> None:
    with running(2) as server:
        assert server.process is not None
        os.killpg(server.process.pid, signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert "another one takes its place" not in server.said()


async def test_a_worker_that_cannot_connect_ends_the_server_and_the_reason_is_printed_once(
    valkey: ValkeyServer,
) -> None:
    with fresh_data_dir() as data_dir:
        async with open_embedded(data_dir / "other") as url:
            # One connection is allowed: the preparing process has returned it, and the first worker keeps it.
            few = url.replace("dossier@/postgres", "few@/few")
            assert few != url
            owner = await asyncpg.connect(url)
            await owner.execute("CREATE ROLE few LOGIN SUPERUSER")
            await owner.execute("CREATE DATABASE few OWNER few")
            with closing(Server(data_dir, 2, DOSSIER_RATE_LIMIT_URL=valkey.url, DOSSIER_DATABASE_URL=few)) as server:
                await asyncio.to_thread(server.cli.ask, "migrate")
                await owner.execute("ALTER ROLE few NOSUPERUSER CONNECTION LIMIT 1")
                await owner.close()
                server.launch()
                assert server.process is not None
                try:
                    assert await asyncio.to_thread(server.process.wait, 60) == 1
                except subprocess.TimeoutExpired:
                    raise AssertionError(f"the server still runs\n{server.said()}") from None
                assert server.said().count("too many connections") == 1
                assert "Traceback" not in server.said()
