"""The start of workers: the steps that happen only once, failures, and interruptions."""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.embedded import open_embedded
from tests.acceptance.service import REPOSITORY, Server, eventually, fresh_data_dir, postgres_processes
from tests.valkey import ValkeyServer

from .conftest import Running
from .processes import check_log, wait_for_all_workers, workers_of

pytestmark = pytest.mark.timeout(300)


# The `dossier` command with one part replaced. Workers load this file too, except its last lines.
_PRINTING_COMMAND = """
import sys
from adapters.filesystem.storage import FilesystemStorage
from app.cli.command import main
from domain.use_cases.claim_store import ClaimStore

def printed(method):
    async def call(self, *arguments):
        print(method.__qualname__, file=sys.stderr, flush=True)
        return await method(self, *arguments)
    return call

FilesystemStorage.prepare = printed(FilesystemStorage.prepare)
ClaimStore.__call__ = printed(ClaimStore.__call__)

if __name__ == "__main__":
    main()
"""

NewServer = Callable[[Path, int], Server]


@contextmanager
def starting_server(new_server: NewServer, workers: int) -> Iterator[Server]:
    """Run a server whose first worker starts or answers while the others are not started yet."""
    with fresh_data_dir() as data_dir, closing(new_server(data_dir, workers)) as server:
        server.launch()
        eventually(lambda: len(workers_of(server)) == 1, 60, "the first worker runs")
        yield server


@pytest.mark.parametrize("count", [1, 2])
def test_the_store_is_prepared_and_claimed_once(count: int, new_server: NewServer, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(_PRINTING_COMMAND)
    with fresh_data_dir() as data_dir, closing(new_server(data_dir, count)) as server:
        server.command[:] = [sys.executable, str(script)]
        server.env["PYTHONPATH"] = str(REPOSITORY)
        server.start()
        wait_for_all_workers(server)
        assert server.stop() == 0
        assert server.said().count("FilesystemStorage.prepare\n") == 1
        assert server.said().count("ClaimStore.__call__\n") == 1


@pytest.mark.parametrize(
    ("sign", "first_answers"), [(signal.SIGTERM, False), (signal.SIGINT, True)], ids=["SIGTERM", "Ctrl-C"]
)
def test_a_stop_during_the_start_succeeds(new_server: NewServer, sign: signal.Signals, *, first_answers: bool) -> None:
    with starting_server(new_server, 4) as server:
        if first_answers:
            server.wait_until_ready()
        assert server.stop(sign) == 0
        check_log(server)
        assert postgres_processes(server.data_dir) == []


def test_a_hangup_before_all_workers_have_started_waits_for_them(new_server: NewServer) -> None:
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


async def test_a_worker_that_cannot_connect_ends_the_server_with_one_reason(valkey: ValkeyServer) -> None:
    with fresh_data_dir() as data_dir:
        async with open_embedded(data_dir / "other") as url:
            # Two connections are allowed: the preparing process has returned them, and the first worker keeps them.
            few = url.replace("dossier@/postgres", "few@/few")
            assert few != url
            owner = await asyncpg.connect(url)
            await owner.execute("CREATE ROLE few LOGIN SUPERUSER")
            await owner.execute("CREATE DATABASE few OWNER few")
            with closing(Server(data_dir, 2, DOSSIER_RATE_LIMIT_URL=valkey.url, DOSSIER_DATABASE_URL=few)) as server:
                await asyncio.to_thread(server.cli.ask, "migrate")
                await owner.execute("ALTER ROLE few NOSUPERUSER CONNECTION LIMIT 2")
                await owner.close()
                await asyncio.to_thread(server.fails_to_start, "too many connections")
                reasons = [line for line in server.said().splitlines() if "too many connections" in line]
                # Without reports of API keys, a worker would serve.
                assert len([reason for reason in reasons if "dossier.keys" not in reason]) == 1
