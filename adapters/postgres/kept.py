"""Counts that a process keeps until their workspace changes."""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable

from adapters.postgres.database import Row

SECONDS_MAX = 60.0
"""The longest time for which a count is kept. It matters only if the database lost changes, as in a failover to a
standby that lags behind."""

UNLESS_KEPT = """
WITH state AS MATERIALIZED (
    SELECT next_seq, folders FROM usage
    WHERE workspace_id = $1 AND (next_seq, folders) IS DISTINCT FROM (${}::bigint, ${}::bigint)
)
SELECT state.next_seq, state.folders, counted.*
FROM state CROSS JOIN LATERAL (SELECT * FROM ({}) AS counted WHERE state.next_seq IS NOT NULL OFFSET 0) AS counted
"""
"""A statement that counts only if the workspace is no longer in a given state. The condition and the OFFSET make
Postgres read the state first.

Each change of documents or folders increments `next_seq`, except that of the sweeper: it deletes empty folders, which
decrements `folders`.
"""


class KeptCounts:
    """The newest count of each list, with the state of its workspace, in the columns `next_seq` and `folders`.

    If all have more than `bytes_max` bytes of JSON, those that were not used for the longest time are dropped.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._kept: OrderedDict[Hashable, tuple[Row, float]] = OrderedDict()
        self._bytes = 0

    def get(self, sought: Hashable) -> Row | None:
        """Return the kept row, which may be of an earlier state."""
        row, end = self._kept.get(sought, (None, 0.0))
        if row is None or asyncio.get_running_loop().time() >= end:
            return None
        self._kept.move_to_end(sought)
        return row

    def keep(self, sought: Hashable, row: Row) -> None:
        """Keep a row instead of the earlier one."""
        self._drop(sought)
        self._kept[sought] = row, asyncio.get_running_loop().time() + SECONDS_MAX
        self._bytes += len(row["rows"])
        while self._bytes > self._bytes_max:
            self._drop(next(iter(self._kept)))

    def _drop(self, sought: Hashable) -> None:
        if (kept := self._kept.pop(sought, None)) is not None:
            self._bytes -= len(kept[0]["rows"])
