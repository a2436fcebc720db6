"""Runs the migrations that were written before there were steps: 0001 and 0002, which were one transaction each."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from adapters.postgres.upgrade.forms import split, statements
from adapters.postgres.upgrade.runner import POSTGRES, Runner, grouped
from adapters.postgres.upgrade.steps import Connection

Then = Callable[[Any], Awaitable[str | None]]

_IS_FIRST = "SELECT NOT EXISTS (SELECT FROM migration WHERE app_name = 'dossier')"
_IS_CREATED = "SELECT coalesce(to_regclass($1)::oid, to_regproc($1)::oid) IS NOT NULL"


async def run_files(connection: Connection, migration: str, files: Sequence[str], creates: str, then: Then) -> None:
    """Run files, then `then`, unless an earlier version of `migrate` has done so: it created `creates` at the end.

    In an empty database, this is one transaction. In another one, each statement is a step: indexes are built
    concurrently, and each statement that `then` executes is a transaction, so `then` must be able to run twice.
    """
    runner = Runner(connection, migration)
    if await connection.fetchval(_IS_CREATED, creates) and not await runner.has_begun():
        return
    texts = [(POSTGRES / file).read_text() for file in files]
    if await connection.fetchval(_IS_FIRST):
        async with connection.transaction():
            for text in texts:
                await connection.execute(text)
            await then(connection)
        return
    # The files have landed, so they cannot be written in the safe form any more.
    sql = ";".join(
        part.replace("CREATE INDEX ", "CREATE INDEX CONCURRENTLY ", 1) for text in texts for part in split(text)
    )
    await runner.run_units(grouped(statements(sql)))
    await runner.run_separately("then", partial(then, _Separately(runner, connection)))


class _Separately:
    """The part of asyncpg's connection that the migrations use. Each statement is a transaction of its own."""

    def __init__(self, runner: Runner, connection: Connection) -> None:
        self._runner = runner
        self._connection = connection

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Any]:
        """Return all rows."""
        rows: Sequence[Any] = await self._runner.session.briefly(partial(self._connection.fetch, sql, *arguments))
        return rows

    async def execute(self, sql: str, *arguments: object) -> str:
        """Execute one statement."""
        status: str = await self._runner.session.briefly(partial(self._connection.execute, sql, *arguments))
        return status

    async def cursor(self, sql: str) -> "_HeldCursor":
        """Open a cursor that keeps its rows on the server, and neither a snapshot nor locks."""
        await self.execute("CLOSE ALL")
        await self.execute(f"DECLARE held CURSOR WITH HOLD FOR {sql}")
        return _HeldCursor(self)


class _HeldCursor:
    def __init__(self, connection: _Separately) -> None:
        self._connection = connection

    async def fetch(self, rows: int) -> Sequence[Any]:
        return await self._connection.fetch(f"FETCH FORWARD {rows} FROM held")
