"""The reads of clients. A workspace that reads much delays its own reads, and those of no other workspace."""

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import cast
from uuid import UUID

from adapters.batching.shared_calls import SharedCalls
from adapters.postgres.database import ACQUIRE_SECONDS, Database, Row
from adapters.postgres.kept import UNLESS_KEPT, KeptCounts
from adapters.postgres.turns import Turns

LISTS = 3
"""The most lists that run at the same time."""

EACH = 2
"""The most lists of one workspace that run at the same time."""

LOOK_UPS = 3
"""The most calls for look-ups that run at the same time. All other connections are left to writes."""

ALIKE = 2
"""The most calls with look-ups of one kind that run at the same time."""

LOOK_UP_ROWS = 128
"""The most look-ups of one call. On a busy machine, 128 documents took 10 ms; with 1,000 entity links each, 200 ms."""

LOOK_UP_SHARE = 16
"""The most look-ups of one workspace in a call that others share: 37 ms for documents with 1,000 entity links each."""

KEPT_BYTES = 4 * 1024 * 1024
"""The memory for counts of tags and folders."""

_Read = tuple[str, UUID, *tuple[object, ...]]
"""A statement, the workspace that it reads, and its other arguments."""


class Reads:
    """Reads on a part of the connections, in turns between the workspaces. Look-ups are fast, and wait for no list.

    Reads that wait at the same time share a call: look-ups of one kind, of any workspaces, and equal lists. The call
    begins after all of them have been asked for, so each of them sees everything that was committed before.
    """

    def __init__(self, database: Database, kept_bytes: int = KEPT_BYTES) -> None:
        self._database = database
        look_ups, lists = Turns(LOOK_UPS, each=ALIKE), Turns(LISTS, each=EACH)

        def list_place(sought: Hashable) -> AbstractAsyncContextManager[None]:
            return lists.of(cast("_Read", sought)[1])

        self._look_ups = SharedCalls[_Read, Row](
            self._look_up,
            most=LOOK_UP_ROWS,
            each=LOOK_UP_SHARE,
            calls_max=ALIKE,
            lane_of=lambda sought: sought[0],
            owner_of=lambda sought: sought[1],
            place=look_ups.of,
            wait_seconds=ACQUIRE_SECONDS,
        )
        self._lists = SharedCalls[_Read, Sequence[Row]](
            self._list, most=1, lane_of=lambda sought: sought, place=list_place, wait_seconds=ACQUIRE_SECONDS
        )
        self._kept = KeptCounts(kept_bytes)

    async def look_up(self, sql: str, workspace: UUID, *key: object) -> Row | None:
        """Return the row of a workspace with this key; `None` if there is none.

        The statement reads many rows by their keys. It has an array for each column of the key, the workspace first.
        Each row that it returns begins with its own key, by which it is given to those who asked for it.

        Raises:
            Unavailable: the call did not begin within 2 s, or as `Database.read` does.
        """
        return await self._look_ups.ask((sql, workspace, *key))

    async def list(self, sql: str, workspace: UUID, *arguments: object) -> Sequence[Row]:
        """Return all rows of a statement that may read many rows.

        Raises:
            Unavailable: the list did not begin within 2 s, or as `Database.fetch` does.
        """
        return await self._lists.ask((sql, workspace, *arguments)) or ()

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

    async def _look_up(self, sought: Sequence[_Read]) -> Mapping[_Read, Row]:
        sql, *_ = sought[0]
        _, *columns = zip(*sought, strict=True)
        rows = await self._database.read(sql, *map(list, columns))
        return {(sql, *row[: len(columns)]): row for row in rows}

    async def _list(self, sought: Sequence[_Read]) -> Mapping[_Read, Sequence[Row]]:
        [alone] = sought
        return {alone: await self._database.fetch(*alone)}
