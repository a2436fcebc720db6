"""The fixtures of the Postgres tests."""

from collections.abc import AsyncIterator

import pytest

from adapters.postgres.database import Database
from tests.postgres.full_tables import OneConnection, open_empty


@pytest.fixture
async def empty(database: Database, database_url: str) -> AsyncIterator[OneConnection]:
    """A new database, and one connection to it."""
    async with open_empty(database, database_url) as opened:
        yield opened
