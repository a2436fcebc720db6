"""Servers with one or several workers, each on its own embedded Postgres, and one Valkey for all."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from tests.acceptance.service import Server, fresh_data_dir
from tests.acceptance.tenants import Tenants
from tests.valkey import ValkeyServer

from .processes import wait_for_all_workers

Running = Callable[..., AbstractContextManager[Server]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def new_server(valkey: ValkeyServer) -> Callable[[Path, int], Server]:
    """Return a server that is not started yet."""
    return lambda data_dir, workers: Server(
        data_dir, workers, DOSSIER_RATE_LIMIT_URL=valkey.url, DOSSIER_TRUSTED_PROXIES="127.0.0.1"
    )


@pytest.fixture(scope="session")
def running(new_server: Callable[[Path, int], Server]) -> Running:
    """Run a server on a fresh data directory, with all of its workers up, for the `with` block."""

    @contextmanager
    def run(workers: int) -> Iterator[Server]:
        with fresh_data_dir() as data_dir, closing(new_server(data_dir, workers)) as server:
            server.start()
            wait_for_all_workers(server)
            yield server

    return run


@pytest.fixture(scope="session")
def server(running: Running) -> Iterator[Server]:
    """A server with four workers for all tests that do not stop it."""
    with running(4) as server:
        yield server


@pytest.fixture(scope="session")
def tenants(server: Server) -> Iterator[Tenants]:
    with closing(Tenants(server.base_url, server.cli)) as tenants:
        yield tenants
