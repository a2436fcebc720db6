"""One parametrised fixture for each port; the adapter's name stands in the report. The adapters are in `harness.py`."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from adapters.filesystem.storage import FilesystemStorage
from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.throttle.limiter import open_valkey_limiter
from ports.rate_limit import RateLimiter
from tests.clock import StillClock
from tests.contracts.harness import CONCURRENT_REPOSITORIES, RATE_LIMITERS, REPOSITORIES, SERVED_STORES, STORES
from tests.contracts.records import Records
from tests.contracts.stores import PUBLIC_URL, ServedStore, Store
from tests.valkey import ValkeyServer


@pytest.fixture(params=REPOSITORIES)
def records(request: pytest.FixtureRequest) -> Records:
    """The repositories, on each adapter."""
    return REPOSITORIES[request.param](request.getfixturevalue, StillClock())


@pytest.fixture(params=CONCURRENT_REPOSITORIES)
def shared(request: pytest.FixtureRequest) -> Records:
    """The repositories, on each adapter, and also shared by two processes. For tests of races and retries."""
    return CONCURRENT_REPOSITORIES[request.param](request.getfixturevalue, StillClock())


# An asynchronous fixture cannot ask for another one by name, so the stores are opened in two fixtures each.
@pytest.fixture(params=STORES)
def opening_store(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractAsyncContextManager[Store]:
    return STORES[request.param](request.getfixturevalue, tmp_path)


@pytest.fixture
async def store(opening_store: AbstractAsyncContextManager[Store]) -> AsyncIterator[Store]:
    """The object store, on each adapter."""
    async with opening_store as store:
        yield store


@pytest.fixture(params=SERVED_STORES)
def opening_served(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractAsyncContextManager[ServedStore]:
    return SERVED_STORES[request.param](request.getfixturevalue, tmp_path)


@pytest.fixture
async def served(opening_served: AbstractAsyncContextManager[ServedStore]) -> AsyncIterator[ServedStore]:
    """The object store, on each adapter whose signed URLs lead to Dossier itself."""
    async with opening_served as store:
        yield store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The directory of `storage`."""
    return tmp_path / "files"


@pytest.fixture
async def storage(root: Path) -> FilesystemStorage:
    """The filesystem adapter by itself, for failures that no other store has."""
    storage = FilesystemStorage(root, PUBLIC_URL, b"secret" * 8)
    await storage.prepare()
    return storage


@pytest.fixture(params=RATE_LIMITERS)
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    """The rate limiter, on each adapter."""
    return RATE_LIMITERS[request.param](request.getfixturevalue)


@pytest.fixture(scope="session")
async def valkey_limiter(valkey: ValkeyServer) -> AsyncIterator[RateLimiter]:
    """A limiter that waits for Valkey however slow the machine is, and fails the test rather than fall back."""

    def fail() -> None:
        raise AssertionError("the limiter fell back although Valkey is up")

    async with open_valkey_limiter(
        valkey.url, fallback=MemoryRateLimiter(), shares=1, on_fallback=fail, budget_seconds=10
    ) as limiter:
        yield limiter
