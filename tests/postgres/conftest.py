"""What the tests of Postgres open."""

from collections.abc import AsyncIterator

import pytest

from adapters.postgres.database import Database
from tests.postgres.calls import Rig, open_rig
from tests.postgres.full_tables import OneConnection, open_empty


@pytest.fixture
async def rig() -> Rig:
    """A writer, and the calls it makes."""
    return await open_rig()


@pytest.fixture
async def empty(database: Database, database_url: str) -> AsyncIterator[OneConnection]:
    """A database of its own, and one connection to it."""
    async with open_empty(database, database_url) as opened:
        yield opened
