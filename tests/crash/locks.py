"""A workspace whose lock the test holds, so that every write to it waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .deployment import Deployment, Workspace


@dataclass(frozen=True)
class Lock:
    sql: Any

    async def waiting(self) -> frozenset[tuple[int, datetime]]:
        """Return the session that waits for the lock as the first, and the time since which it waits.

        Sessions that wait for a moment only are not returned: a server gives up their wait by itself.
        """
        await self.sql.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees the same sessions otherwise
        return frozenset((row["pid"], row["waitstart"]) for row in await self.sql.fetch(_WAITING))

    async def until_a_write_waits(self) -> frozenset[tuple[int, datetime]]:
        """Wait until a write waits for the lock."""
        while not (waiting := await self.waiting()):  # noqa: ASYNC110  Postgres sends no event
            await asyncio.sleep(0.02)
        return waiting


@asynccontextmanager
async def blocked(deployment: Deployment, workspace: Workspace) -> AsyncIterator[Lock]:
    """Hold the workspace lock, which every write takes first, for the `with` block."""
    async with deployment.sql() as sql, sql.transaction():
        await sql.execute("SELECT FROM usage WHERE workspace_id = $1 FOR UPDATE", workspace.uuid)
        yield Lock(sql)


# Later writes queue behind the first one. The name is that of adapters/postgres/pools.py.
_WAITING = """
SELECT pid, waitstart FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND waitstart IS NOT NULL AND transactionid = pg_current_xact_id()::xid
  AND application_name = 'dossier waits'
"""
