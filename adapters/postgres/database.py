"""Connections: opened through Piccolo's engine, bounded in every wait, and one way to fail.

Piccolo's own `run` and `transaction` wait for a connection for ever, and the latter loses it when COMMIT fails; so
statements go through here.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine
from piccolo.query.base import Query

from adapters.postgres.tables import TABLES
from ports.system import Unavailable

ACQUIRE_SECONDS = 2.0
STATEMENT_SECONDS = 3.0
CONNECT_SECONDS = 2.0
POOL_SIZE = 10
TRIES = 3

SESSION = {
    "application_name": "dossier",
    # The write relies on it: each of its statements sees what was committed before that statement.
    "default_transaction_isolation": "read committed",
    # The server usually gives up just before we do.
    "statement_timeout": str(int(STATEMENT_SECONDS * 1000) - 100),
    # A statement whose connection was cut stops, instead of holding its locks to the end.
    "client_connection_check_interval": "500",
    # Everything is asked for by a key that begins with the workspace. A plan made while a table was small, and kept,
    # would scan it when it is large.
    "enable_seqscan": "off",
    # Nothing of ours runs so long that it would be worth compiling, or dividing among processes.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # A list may hold what an index says of a million documents: in less, it forgets which rows of a page were meant.
    "work_mem": "16MB",
}
"""What every session of ours is set to."""

# What a later try may mend. Nearly everything else that Postgres answers is a mistake of ours, and looks like one.
_TRANSIENT = (
    OSError,  # TimeoutError is one
    asyncpg.InterfaceError,  # a closed connection; some mistakes of ours too, which asyncpg does not tell apart
    asyncpg.InternalClientError,  # Postgres has taken leave on an idle connection, and asyncpg used it all the same
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,  # where the operator has set a lock_timeout
)

_TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
_UNLOCK = "SELECT pg_advisory_unlock($1)"

Row = Any
"""A record of asyncpg: values by column name."""


class Database:
    """A pool of connections to one database. Each call is one statement, which is one transaction."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        """All rows of a statement with `$1`, `$2` … for its arguments.

        Raises:
            Unavailable: no connection within 2 s, no answer within 3 s, or the server went away: a statement that
                writes may have written, or may write yet.
        """
        try:
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                try:
                    rows: Sequence[Row] = await connection.fetch(sql, *arguments, timeout=STATEMENT_SECONDS)
                except (TimeoutError, asyncio.CancelledError, asyncpg.InternalClientError):
                    # Its answer may come yet. To ask the server to stop could take as long as the statement has.
                    connection.terminate()
                    raise
                return rows
        except _TRANSIENT as error:
            raise Unavailable(f"database: {type(error).__name__}: {error}") from error

    async def fetch_one(self, sql: str, *arguments: object) -> Row | None:
        """The first row of a statement, if it has one. Raises as `fetch` does."""
        rows = await self.fetch(sql, *arguments)
        return rows[0] if rows else None

    async def fetch_with_retry(self, sql: str, *arguments: object) -> Sequence[Row]:
        """All rows of a statement that is safe to send again: it knows what an earlier try of its own has written.

        Raises:
            Unavailable: three times. Whether anything was written is not known.
        """
        for _ in range(TRIES - 1):
            with suppress(Unavailable):
                return await self.fetch(sql, *arguments)
        return await self.fetch(sql, *arguments)

    async def run(self, query: Query[Any, Any]) -> Sequence[Row]:
        """The rows of a query made with Piccolo's builder. Raises as `fetch` does."""
        sql, arguments = query.default_querystrings[0].compile_string(engine_type="postgres")
        return await self.fetch(sql, *arguments)

    @asynccontextmanager
    async def try_advisory_lock(self, lock: int) -> AsyncIterator[bool]:
        """Hold an advisory lock for the block, if nobody holds it; a connection is taken for as long.

        Raises:
            Unavailable: as `fetch` does, at the beginning of the block.
        """
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        except _TRANSIENT as error:
            raise Unavailable(f"database: {type(error).__name__}: {error}") from error
        try:
            try:
                is_alone: bool = await connection.fetchval(_TRY_LOCK, lock, timeout=STATEMENT_SECONDS)
            except _TRANSIENT as error:
                raise Unavailable(f"database: {type(error).__name__}: {error}") from error
            try:
                yield is_alone
            finally:
                if is_alone:
                    await _unlock(connection, lock)
        except BaseException:
            _end(connection)
            raise
        finally:
            await self._pool.release(connection)

    async def probe(self) -> None:
        """Return when the database answers. Raises as `fetch` does."""
        await self.fetch("SELECT 1")


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """A pool for a `postgresql://` URL, closed at the end.

    Raises:
        Unavailable: nobody answers there, or not to us.
    """
    try:
        engine = _Engine({"dsn": url, "timeout": CONNECT_SECONDS})
        await engine.start_connection_pool(
            min_size=1,
            max_size=POOL_SIZE,
            reset=_keep_session,
            server_settings=SESSION,
        )
    except _TRANSIENT as error:
        raise Unavailable(f"database: {type(error).__name__}: {error}") from error
    assert engine.pool is not None
    for table in TABLES:
        # The builder asks a table's engine for its dialect. Queries run here, so whose engine it is does not matter.
        table._meta.db = engine
    try:
        yield Database(engine.pool)
    finally:
        try:
            await asyncio.wait_for(engine.pool.close(), STATEMENT_SECONDS)
        except TimeoutError:
            engine.pool.terminate()


async def _unlock(connection: Any, lock: int) -> None:
    try:
        await connection.fetchval(_UNLOCK, lock, timeout=STATEMENT_SECONDS)
    except _TRANSIENT:
        # The lock is the session's, and ends with it.
        _end(connection)


def _end(connection: Any) -> None:
    # Where the session was lost, asyncpg has taken the connection back, and there is nothing to end.
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


class _Engine(PostgresEngine):
    """Piccolo's engine without the queries of its constructor, which would block the event loop."""

    async def check_version(self) -> None:
        """Not asked."""

    async def prep_database(self) -> None:
        """Nothing to prepare: extensions are the migrations' business."""


async def _keep_session(connection: Any) -> None:
    """No reset on release: it is a second round trip, and no statement of ours leaves anything in the session."""
