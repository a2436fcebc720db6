"""The servers of the whole run: Postgres from the embedded launcher, Valkey and S3. A new workspace isolates each
test."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from random import randrange
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import settings

from adapters.postgres.database import BRIEF, POOL_SIZE, SESSION, Database, open_database
from adapters.postgres.embedded import open_embedded
from adapters.postgres.migrate import migrate
from tests.acceptance.service import Server, running_server
from tests.acceptance.tenants import Tenants
from tests.memory_transport import open_memory_tenants
from tests.ministack import S3Bucket, S3Server, open_s3_bucket, open_s3_server
from tests.valkey import ValkeyServer, open_valkey

# The processes of pytest-xdist must give each test the same id, and some ids show sets. So they share one hash seed,
# another one in every run.
os.environ.setdefault("PYTHONHASHSEED", str(randrange(2**32)))

# No deadline per example: its duration says more about the machine than about the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Options for faster writes. Only a power cut could lose a write.
_FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--transport",
        choices=("memory", "server"),
        default="server",
        help="what tests/acceptance call: a real server, or the application in this process on the ports in memory",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need a server if there is none."""
    if config.getoption("transport") == "memory":
        needless = [item for item in items if item.get_closest_marker("server")]
        config.hook.pytest_deselected(items=needless)
        items[:] = [item for item in items if not item.get_closest_marker("server")]


@pytest.fixture(scope="session")
def memory_tenants() -> Iterator[Tenants]:
    """The deployment of `--transport=memory`."""
    with open_memory_tenants() as tenants:
        yield tenants


@pytest.fixture(scope="session")
async def database_url() -> AsyncIterator[str]:
    """A migrated database."""
    with tempfile.TemporaryDirectory(prefix="dossier-") as directory:
        async with open_embedded(Path(directory), options=_FAST) as url:
            await migrate(url)
            # A copy for `own_database_url`, made while nothing is connected to the database.
            connection = await asyncpg.connect(_other(url, "template1"))
            await connection.execute("CREATE DATABASE migrated TEMPLATE postgres")
            await connection.close()
            yield url


def _other(database_url: str, name: str) -> str:
    """Return the URL of another database of the server."""
    return database_url.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool of connections to the database. All are open, because a busy machine takes long to open one."""
    async with open_database(database_url, opened=POOL_SIZE) as database:
        yield database


@pytest.fixture
async def empty_database_url(database_url: str, database: Database) -> str:
    """The URL of a new database without a schema."""
    name = f"empty_{uuid4().hex}"
    await database.fetch(f"CREATE DATABASE {name}")
    return _other(database_url, name)


@pytest.fixture
async def own_database_url(database_url: str, database: Database) -> str:
    """The URL of a new migrated database, for tests of what concerns every workspace. A copy takes milliseconds."""
    name = f"own_{uuid4().hex}"
    await database.fetch(f"CREATE DATABASE {name} TEMPLATE migrated")
    return _other(database_url, name)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each statement of a pool that is opened now wait as long as the test takes, on a slow machine too."""
    for limit in ("database.STATEMENT_SECONDS", "database.ACQUIRE_SECONDS", "reads.ACQUIRE_SECONDS"):
        monkeypatch.setattr(f"adapters.postgres.{limit}", 60.0)
    for limit in ("statement_timeout", "lock_timeout"):
        monkeypatch.setitem(SESSION, limit, "60000")
    monkeypatch.setitem(BRIEF, "lock_timeout", "60000")


@pytest.fixture
async def own_database(own_database_url: str) -> AsyncIterator[Database]:
    """A pool of connections to `own_database_url`."""
    async with open_database(own_database_url) as database:
        yield database


@pytest.fixture(scope="session")
async def valkey() -> AsyncIterator[ValkeyServer]:
    """A shared Valkey. Each test counts its own subjects; a test that stops a server opens another one."""
    async with open_valkey() as server:
        yield server


@pytest.fixture(scope="session")
async def s3_server() -> AsyncIterator[S3Server]:
    """An S3 server. Its credentials are set in the environment of this process."""
    async with open_s3_server() as server:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in server.environment.items():
                patch.setenv(name, value) if value else patch.delenv(name, raising=False)
            yield server


@pytest.fixture(scope="session")
async def s3_plain(s3_server: S3Server) -> AsyncIterator[S3Bucket]:
    """A bucket without versions."""
    async with open_s3_bucket(s3_server, versioned=False) as bucket:
        yield bucket


@pytest.fixture(scope="session")
async def s3_versioned(s3_server: S3Server) -> AsyncIterator[S3Bucket]:
    """A bucket with versions."""
    async with open_s3_bucket(s3_server, versioned=True) as bucket:
        yield bucket


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
