"""Every port on every adapter: one parametrised fixture each, the adapter's name in the report."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.filesystem.storage import FilesystemStorage
from adapters.postgres.database import Database
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.migrate import migrate
from tests.clock import StillClock
from tests.contracts.records import InTurns, Records, memory_records, postgres_records
from tests.contracts.s3_store import s3_store
from tests.contracts.stores import PUBLIC_URL, LinkedStore, Store, linked_store
from tests.ministack import S3Bucket


@pytest.fixture(params=["memory", "postgres", "postgres from two processes"])
def records(request: pytest.FixtureRequest) -> Records:
    """Workspaces, keys, documents and their ledger, on each adapter."""
    clock = StillClock()
    match request.param:
        case "memory":
            return memory_records(clock)
        case kind:
            database = request.getfixturevalue("database")
            documents = PostgresDocuments if kind == "postgres" else InTurns
            return postgres_records(database, clock, documents(database, clock))


@pytest.fixture(scope="session")
async def template_url(database: Database, database_url: str) -> str:
    """A migrated database that nobody is connected to: others are made of it in no time."""
    await database.fetch("CREATE DATABASE template_of_all")
    url = database_url.replace("/postgres?", "/template_of_all?")
    await migrate(url)
    return url


@pytest.fixture(params=["memory", "filesystem", "s3", "s3 with versions"])
def kind_of_store(request: pytest.FixtureRequest) -> str | S3Bucket:
    """Each adapter, and the bucket where it needs one: only where, for that takes a server."""
    buckets = {"s3": "s3_plain", "s3 with versions": "s3_versioned"}
    kind: str = request.param
    return request.getfixturevalue(buckets[kind]) if kind in buckets else kind


@pytest.fixture
async def store(kind_of_store: str | S3Bucket, tmp_path: Path) -> AsyncIterator[Store]:
    """The object store, on each adapter."""
    opened = linked_store(kind_of_store, tmp_path) if isinstance(kind_of_store, str) else s3_store(kind_of_store)
    async with opened as store:
        yield store


@pytest.fixture(params=["memory", "filesystem"])
async def linked(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LinkedStore]:
    """Each adapter whose signed requests come to us."""
    async with linked_store(request.param, tmp_path) as store:
        yield store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the files of `storage` lie."""
    return tmp_path / "files"


@pytest.fixture
async def storage(root: Path) -> FilesystemStorage:
    """The filesystem adapter by itself, for what no other store can suffer."""
    storage = FilesystemStorage(root, PUBLIC_URL, b"secret" * 8)
    await storage.prepare()
    return storage
