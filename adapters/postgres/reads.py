"""The reads of clients. A workspace that reads much delays its own reads, and those of no other workspace."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from adapters.postgres.database import ACQUIRE_SECONDS, Database, Row
from adapters.postgres.kept import UNLESS_KEPT, KeptCounts
from adapters.postgres.turns import Turns

LISTS = 3
"""The most lists that run at the same time."""

LOOK_UPS = 3
"""The most look-ups that run at the same time. All other connections are left to writes."""

EACH = 2
"""The most lists of one workspace that run at the same time."""

KEPT_BYTES = 4 * 1024 * 1024
"""The memory for counts of tags and folders."""

_List = tuple[str, UUID, *tuple[object, ...]]


class Reads:
    """Reads on a part of the connections, in turns between the workspaces. Look-ups are fast, and wait for no list."""

    def __init__(self, database: Database, kept_bytes: int = KEPT_BYTES) -> None:
        self._database = database
        self._look_ups = Turns(LOOK_UPS, each=LOOK_UPS)
        self._lists = Turns(LISTS, each=EACH)
        self._kept = KeptCounts(kept_bytes)
        # For each list: the call that runs now, and the call that begins after it.
        self._running: dict[_List, asyncio.Task[Sequence[Row]]] = {}
        self._following: dict[_List, asyncio.Task[Sequence[Row]]] = {}

    async def look_up(self, sql: str, workspace: UUID, *arguments: object) -> Row | None:
        """Return the first row of a statement that reads a few rows by their keys; `None` if it returns no row.

        Raises:
            NotBegun: the workspace had no turn, or the statement no connection, within 2 s.
            Unavailable: as `Database.fetch` does.
        """
        async with self._look_ups.of(workspace, ACQUIRE_SECONDS):
            return await self._database.fetch_one(sql, workspace, *arguments)

    async def list(self, sql: str, workspace: UUID, *arguments: object) -> Sequence[Row]:
        """Return all rows of a statement that may read many rows. Raises as `look_up` does.

        Callers of an equal list that wait at the same time share one call. It begins after all of them have called, so
        each of them sees everything that was committed before. If a caller is cancelled, the call goes on.
        """
        sought: _List = (sql, workspace, *arguments)
        call = self._following.get(sought)
        if call is None:
            call = self._following[sought] = asyncio.create_task(self._list(sought, self._running.get(sought)))
        return await asyncio.shield(call)

    async def count(self, sql: str, workspace: UUID, *arguments: object) -> Row | None:
        """Return the row of a list that changes only with the documents and folders of the workspace. Raises as `list`
        does.

        The row has the columns `total` and `rows`, as JSON. If the workspace has not changed since this process has
        read the same list, nothing is counted. `None` if there is no such workspace.
        """
        sought = (sql, workspace, *arguments)
        kept = self._kept.get(sought)
        state = (None, None) if kept is None else (kept["next_seq"], kept["folders"])
        unless_kept = UNLESS_KEPT.format(len(sought), len(sought) + 1, sql)
        rows = await self.list(unless_kept, workspace, *arguments, *state)
        if not rows:
            return kept
        self._kept.keep(sought, rows[0])
        return rows[0]

    async def _list(self, sought: _List, earlier: "asyncio.Task[Sequence[Row]] | None") -> Sequence[Row]:
        try:
            if earlier is not None:
                await asyncio.wait([earlier])
            async with self._lists.of(sought[1], ACQUIRE_SECONDS):
                self._running[sought] = self._following.pop(sought)
                try:
                    return await self._database.fetch(*sought)
                finally:
                    del self._running[sought]
        finally:
            if self._following.get(sought) is asyncio.current_task():
                del self._following[sought]
