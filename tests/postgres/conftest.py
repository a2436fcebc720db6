"""The repositories in Postgres, and the writers on a database that fails."""

import pytest

from adapters.postgres.database import Database
from adapters.postgres.writer.batched import shared
from tests.clock import StillClock
from tests.contracts.records import Records
from tests.contracts.repositories import memory_records, postgres_records
from tests.postgres.rig import Rig


@pytest.fixture
def records(database: Database) -> Records:
    return postgres_records(database, StillClock())


@pytest.fixture
async def rig() -> Rig:
    records = memory_records(StillClock())
    return Rig(records, await records.workspace())


@pytest.fixture
async def shared_rig() -> Rig:
    """A writer with one lane for all workspaces, in which every call is slow at once."""
    records = memory_records(StillClock())
    return Rig(records, await records.workspace(), shared, slow_seconds=0)
