"""Counts that a process keeps until their workspace changes."""

import asyncio
from collections import OrderedDict

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


ENTRY_BYTES = 1024
"""What a kept row takes besides its text, rounded up: an empty list takes half of it."""

_Sought = tuple[object, ...]
"""A statement and its arguments."""


class KeptCounts:
    """The newest count of each list, with the state of its workspace, in the columns `next_seq` and `folders`.

    If all take more than about `bytes_max` bytes, those that were not used for the longest time are dropped.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._kept: OrderedDict[_Sought, tuple[Row, float]] = OrderedDict()
        self._bytes = 0

    def get(self, sought: _Sought) -> Row | None:
        """Return the kept row, which may be of an earlier state."""
        row, end = self._kept.get(sought, (None, 0.0))
        if row is None or asyncio.get_running_loop().time() >= end:
            self._drop(sought)
            return None
        self._kept.move_to_end(sought)
        return row

    def keep(self, sought: _Sought, row: Row) -> None:
        """Keep a row instead of the earlier one."""
        self._drop(sought)
        self._kept[sought] = row, asyncio.get_running_loop().time() + SECONDS_MAX
        self._bytes += _size(sought, row)
        while self._bytes > self._bytes_max:
            self._drop(next(iter(self._kept)))

    def _drop(self, sought: _Sought) -> None:
        if (kept := self._kept.pop(sought, None)) is not None:
            self._bytes -= _size(sought, kept[0])


def _size(sought: _Sought, row: Row) -> int:
    """Return about the number of bytes that a kept row takes."""
    return ENTRY_BYTES + len(row["rows"]) + sum(len(part) for part in sought if isinstance(part, str))
