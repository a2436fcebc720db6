"""The repositories in Postgres, and the writer on a database that fails."""

import pytest

from adapters.postgres.database import Database
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
