"""The writer that its tests share."""

import pytest

from tests.clock import StillClock
from tests.contracts.repositories import memory_records
from tests.postgres.rig import Rig


@pytest.fixture
async def rig() -> Rig:
    records = memory_records(StillClock())
    return Rig(records, await records.workspace())
