"""What happens once at a start, whatever the number of workers, and when a worker cannot start."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.acceptance.service import REPOSITORY, Server, fresh_data_dir

from .processes import wait_for_all_workers

# The `dossier` command with one part replaced. Workers load this file too, except its last lines.
_PRINTING = """
import sys
from adapters.filesystem.storage import FilesystemStorage
from app.cli.command import main
from domain.use_cases.claim_storage import ClaimStorage

def printed(method):
    async def call(self, *arguments):
        print(method.__qualname__, file=sys.stderr, flush=True)
        return await method(self, *arguments)
    return call

FilesystemStorage.prepare = printed(FilesystemStorage.prepare)
ClaimStorage.__call__ = printed(ClaimStorage.__call__)

if __name__ == "__main__":
    main()
"""
_BROKEN = """
from dataclasses import replace
import app.server.serve
from app.cli.command import main

create, work = app.server.serve.create_app, app.server.serve.worker_app
AWAY = "postgresql://nobody@127.0.0.1:1/nowhere"

def broken_app(settings, **options):
    return create(replace(settings, database_url=AWAY), **options)

def broken_worker(settings):
    return work(replace(settings, database_url=AWAY))

if __name__ == "__main__":
    app.server.serve.create_app, app.server.serve.worker_app = broken_app, broken_worker
    main()
"""

NewServer = Callable[[Path, int], Server]


@contextmanager
def scripted(script: str, new_server: NewServer, workers: int, tmp_path: Path) -> Iterator[Server]:
    """A server that runs the script instead of the command."""
    file = tmp_path / "script.py"
    file.write_text(script)
    with fresh_data_dir() as data_dir, closing(new_server(data_dir, workers)) as server:
        server.command[:] = [sys.executable, str(file)]
        server.env["PYTHONPATH"] = str(REPOSITORY)
        yield server


@pytest.mark.parametrize("count", [1, 2])
def test_the_store_is_prepared_and_claimed_once(count: int, new_server: NewServer, tmp_path: Path) -> None:
    with scripted(_PRINTING, new_server, count, tmp_path) as server:
        server.start()
        wait_for_all_workers(server)
        assert server.stop() == 0
        assert server.said().count("FilesystemStorage.prepare\n") == 1
        assert server.said().count("ClaimStorage.__call__\n") == 1


@pytest.mark.parametrize("count", [1, 2])
def test_a_server_whose_worker_cannot_start_ends_and_prints_the_reason_once(
    count: int, new_server: NewServer, tmp_path: Path
) -> None:
    with scripted(_BROKEN, new_server, count, tmp_path) as server:
        server.launch()
        assert server.process is not None
        assert server.process.wait(60) == 1
        assert server.said().count("database:") == 1, server.said()
        assert "Traceback" not in server.said()
