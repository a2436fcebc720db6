"""The deployment under test. `--transport` chooses between a server that the session starts and the ports in memory.

ACCEPTANCE_BASE_URL and ACCEPTANCE_CLI name a server that runs already.
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import closing

import pytest

from .client import Client
from .keys import PERMISSIONS
from .service import Cli, running_server
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
def home(tenants: Tenants) -> Client:
    """A client of the workspace that most tests share ("home"), without a rate limit."""
    return tenants.client()


@pytest.fixture(scope="session")
def manager(tenants: Tenants) -> Client:
    """A client with every permission, in a workspace that is neither `home` nor that of `stranger`."""
    return tenants.client("", *PERMISSIONS)


@pytest.fixture(scope="session")
def stranger(tenants: Tenants) -> Client:
    """A client of a foreign workspace, with every permission there. It must not reach what `home` or `manager` have."""
    return tenants.client("", *PERMISSIONS)


@pytest.fixture
def stored(home: Client) -> str:
    """The storage path of five uploaded bytes, "hello"."""
    return home.upload(b"hello")
