"""The operator restores the database from a backup. tests/domain/test_generations.py proves when that is noticed."""

import os
import shutil
import signal
from contextlib import closing

import pytest

from .client import Client
from .keys import PERMISSIONS
from .service import Server, eventually, postgres_processes, running_server
from .tenants import Tenants

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="starts servers of its own"),
    pytest.mark.timeout(120),
]


def stop(server: Server, sign: signal.Signals) -> None:
    """End the server, and wait until its database has stopped, so that the files of the database can be copied."""
    server.stop(sign)
    eventually(lambda: not postgres_processes(server.data_dir), 30, "the database has stopped")


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        # A server that ends replaces the generation. A killed one does not, so only its upload shows the loss.
        (signal.SIGTERM, "of different times"),
        (signal.SIGKILL, "that this database never issued"),
    ],
    ids=["the server ended", "the server was killed"],
)
def test_a_server_on_a_restored_database_starts_only_after_it_is_adopted(sign: signal.Signals, reason: str) -> None:
    with running_server() as server:
        tenants = Tenants(server.base_url, server.cli)
        workspace = tenants.workspace()
        key = tenants.api_key(workspace, *PERMISSIONS).key
        with closing(Client(server.base_url, key, workspace)) as client:
            client.recorded()
        stop(server, signal.SIGTERM)
        database, backup = server.data_dir / "postgres", server.data_dir / "backup"
        shutil.copytree(database, backup, symlinks=True)
        server.start()
        with closing(Client(server.base_url, key, workspace)) as client:
            lost = client.recorded()
        stop(server, sign)
        shutil.rmtree(database)
        backup.rename(database)

        server.fails_to_start(reason)
        compared = server.cli.ask("adopt", "--dry-run")
        assert (compared["adopted"], compared["unknown"], compared["missing"]) == (False, 1, 0)
        assert compared["examples"] == [lost["storage_path"]]
        assert server.cli.ask("adopt", "--yes")["adopted"] is True
        server.start()
