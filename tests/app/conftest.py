"""A database of its own for each test that opens a service."""

from pathlib import Path

import pytest

from adapters.postgres.database import open_database


@pytest.fixture
async def empty_database_url(database_url: str, tmp_path: Path) -> str:
    """The URL of a new database without a schema."""
    name = "".join(filter(str.isalnum, tmp_path.name.lower()))
    async with open_database(database_url) as database:
        await database.fetch(f"CREATE DATABASE {name}")
    return database_url.replace("/postgres?", f"/{name}?")
