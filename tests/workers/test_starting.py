"""When workers cannot start, or are stopped or restarted before all of them have."""

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
def begun(new_server: Callable[[Path, int], Server], workers: int) -> Iterator[Server]:
    """A server of which the first worker answers, or is about to, and the others are still to be started."""
    with fresh_data_dir() as data_dir, closing(new_server(data_dir, workers)) as server:
        server.launch()
        eventually(lambda: len(workers_of(server)) == 1, 60, "the first worker is there")
        yield server


@pytest.mark.parametrize("first_answers", [False, True])
def test_a_stop_before_all_workers_have_started_is_no_failure(
    new_server: Callable[[Path, int], Server], first_answers: bool
) -> None:
    with begun(new_server, 4) as server:
        if first_answers:
            server.wait_until_ready()
        assert server.stop() == 0
        assert "ERROR" not in server.said()


def test_a_hangup_before_all_workers_have_started_waits_until_they_have(
    new_server: Callable[[Path, int], Server],
) -> None:
    with begun(new_server, 2) as server:
        server.wait_until_ready()
        assert server.process is not None
        first = workers_of(server)
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(workers_of(server) - first) == 2 == len(workers_of(server)), 90, "all are new")
        assert server.stop() == 0
        assert "ERROR" not in server.said()


def test_a_stop_while_workers_are_replaced_is_not_put_off(running: Running) -> None:
    with running(4) as server:
        assert server.process is not None
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(workers_of(server)) == 5, 30, "the first new one is being started")
        server.process.terminate()
        # To replace the other three would take longer, even on a machine that has nothing else to do.
        assert server.process.wait(10) == 0
        assert "ERROR" not in server.said()


def test_a_stop_that_a_service_manager_sends_to_every_process_is_one_stop(running: Running) -> None:
    with running(4) as server:
        assert server.process is not None
        os.killpg(server.process.pid, signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert "another one takes its place" not in server.said()


async def test_a_worker_that_cannot_start_ends_all_and_why_is_said_once(valkey: ValkeyServer) -> None:
    with fresh_data_dir() as data_dir:
        async with open_embedded(data_dir / "other") as url:
            # Whoever prepares has given its connection back, the first worker keeps the only one.
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
                    raise AssertionError(f"it goes on\n{server.said()}") from None
                assert server.said().count("too many connections") == 1
                assert "Traceback" not in server.said()
