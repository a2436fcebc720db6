"""The deployment under test: `--transport` chooses a server of the session's own, or the ports in memory.

ACCEPTANCE_BASE_URL and ACCEPTANCE_CLI name a server that runs already.
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import closing

import pytest

from .client import Client
from .keys import PERMISSIONS
from .service import Cli, Server, running_server
from .tenants import Tenants


@pytest.fixture(scope="session")
def tenants(request: pytest.FixtureRequest) -> Iterator[Tenants]:
    if request.config.getoption("transport") == "memory":
        yield request.getfixturevalue("memory_tenants")
        return
    base_url, prefix = os.environ.get("ACCEPTANCE_BASE_URL"), os.environ.get("ACCEPTANCE_CLI")
    if base_url and prefix:
        with closing(Tenants(base_url.rstrip("/"), Cli(shlex.split(prefix), None))) as outside:
            yield outside
        return
    with running_server() as server, closing(Tenants(server.base_url, server.cli)) as ours:
        yield ours


@pytest.fixture(scope="session")
def own_server() -> Iterator[Server]:
    """A server whose log and data directory tests read. A test that stops it starts it again."""
    if "ACCEPTANCE_BASE_URL" in os.environ:
        pytest.skip("reads the log of a server of its own")
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def own_tenants(own_server: Server) -> Iterator[Tenants]:
    with closing(Tenants(own_server.base_url, own_server.cli)) as tenants:
        yield tenants


@pytest.fixture(scope="session")
def home(tenants: Tenants) -> Client:
    """A client in the workspace of most tests, without a rate limit."""
    return tenants.client()


@pytest.fixture(scope="session")
def manager(tenants: Tenants) -> Client:
    """A client in a workspace of its own, with every permission."""
    return tenants.client("", *PERMISSIONS)


@pytest.fixture(scope="session")
def stranger(tenants: Tenants) -> Client:
    """A client in another workspace, with every permission there."""
    return tenants.client("", *PERMISSIONS)


@pytest.fixture
def stored(home: Client) -> str:
    """The storage path of five uploaded bytes, "hello"."""
    return home.upload(b"hello")
