"""Rows that the tests of Postgres read."""

from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.rows import to_uuid
from domain.access import Workspace


async def rows(database: Database, table: str, home: Workspace, order: str) -> list[Any]:
    """Return the rows of a workspace."""
    sql = f"SELECT * FROM {table} WHERE workspace_id = $1 ORDER BY {order}"
    return list(await database.fetch(sql, to_uuid(home.id)))


async def events(database: Database, home: Workspace) -> list[Any]:
    """Return the events of a workspace, in the order of commits."""
    return await rows(database, "events", home, "seq")
