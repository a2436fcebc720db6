"""Workspace locks that the test holds, as another process would."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from adapters.postgres.rows import to_uuid


@asynccontextmanager
async def locked(url: str, *workspaces: str) -> AsyncIterator[Any]:
    """Hold the locks of workspaces, which every write takes first, for the block. Yield the connection."""
    holder = await asyncpg.connect(url)
    try:
        async with holder.transaction():
            lock = "SELECT FROM usage WHERE workspace_id = ANY ($1) FOR NO KEY UPDATE"
            await holder.execute(lock, [to_uuid(workspace) for workspace in workspaces])
            yield holder
    finally:
        await holder.close()
