"""The deletion of receipts, events and unused paths in Postgres, in batches."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from adapters.postgres import statements
from adapters.postgres.database import Database, Row
from adapters.postgres.not_begun import Locked
from adapters.postgres.rows import LEAST_ID

PAGE = 1000
BATCH = 200
"""The most rows that are deleted while the lock of a workspace is held. Each may be a record of 80 KB."""


class PostgresRetention:
    """`Retention` in Postgres. Rows of a workspace whose lock another process holds are left to the next sweep."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete_expired_receipts(self, at: datetime) -> int:
        deleted_count = 0
        after = {"workspace_id": LEAST_ID, "key_hash": LEAST_ID}
        async for rows in self._database.pages(statements.LIST_RECEIPTS, after=after, size=PAGE):
            expired = [row for row in rows if row["expires_at"] <= at]
            for owner, keys in _batches(expired, "key_hash"):
                with suppress(Locked):
                    deleted_count += len(await self._database.fetch(statements.DELETE_RECEIPTS, owner, keys, at))
        return deleted_count

    async def delete_events(self, before: datetime) -> int:
        deleted_count = 0
        after = {"workspace_id": LEAST_ID}
        async for rows in self._database.pages(statements.OLDEST_EVENTS, after=after, size=PAGE):
            for row in rows:
                if row["at"] is not None and row["at"] < before:
                    deleted_count += await self._delete_events_of(row["workspace_id"], before)
        return deleted_count

    async def _delete_events_of(self, workspace: UUID, before: datetime) -> int:
        deleted_count = 0
        while True:
            [row] = await self._database.fetch(statements.DELETE_EVENTS, workspace, before, PAGE)
            batch_count: int = row["deleted"]
            deleted_count += batch_count
            if batch_count < PAGE:
                return deleted_count

    async def forget_unused_paths(self, before: datetime) -> int:
        forgotten_count = 0
        while rows := await self._database.fetch(statements.LIST_UNUSED_PATHS, before, PAGE):
            rows = sorted(rows, key=itemgetter("workspace_id"))
            count_before = forgotten_count
            for owner, paths in _batches(rows, "storage_path"):
                with suppress(Locked):
                    forgotten = await self._database.fetch(statements.FORGET_UNUSED_PATHS, owner, paths, before)
                    forgotten_count += len(forgotten)
            if forgotten_count == count_before:
                break
        return forgotten_count


def _batches(rows: Sequence[Row], column: str) -> Iterator[tuple[UUID, Sequence[Any]]]:
    """Yield the values of a column by workspace, at most `BATCH` at a time. The rows are sorted by workspace."""
    for workspace, group in groupby(rows, key=itemgetter("workspace_id")):
        values = [row[column] for row in group]
        for start in range(0, len(values), BATCH):
            yield workspace, values[start : start + BATCH]
