"""A pool of connections, opened through Piccolo's engine. Every wait has a limit, and failures are `Unavailable`.

Piccolo's own `run` and `transaction` wait for a connection without a limit, and `transaction` loses it when COMMIT
fails. So all statements run through `Database`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine
from piccolo.query.base import Query

from adapters.postgres.locks import AdvisoryLocks
from adapters.postgres.not_begun import Locked, NotBegun
from adapters.postgres.tables import TABLES
from adapters.postgres.turns import Turns
from ports.system import Unavailable

ACQUIRE_SECONDS = 2.0
STATEMENT_SECONDS = 3.0
LOCK_SECONDS = 2.5
BRIEF_LOCK_SECONDS = 0.05
CONNECT_SECONDS = 2.0

POOL_SIZE = 10
"""The most connections of a pool whose opener does not say otherwise. A server opens several: `pools.py`."""
TRIES = 3

SESSION = {
    # Creates need this level: each statement of `record_documents_v2` must see what was committed before it began.
    "default_transaction_isolation": "read committed",
    # Slightly less than the limit of the client side, so that the server usually ends the statement first.
    "statement_timeout": str(int(STATEMENT_SECONDS * 1000) - 100),
    # A workspace lock that another process holds must not use up the time of the statement: `NotBegun` says why.
    "lock_timeout": str(int(LOCK_SECONDS * 1000)),
    # The server stops a statement whose connection was cut. Otherwise the statement would hold its locks to its end.
    "client_connection_check_interval": "500",
    # Every read has a key that begins with the workspace. A session keeps its plans: a scan that was chosen while a
    # table was small would still be used when the table is large.
    "enable_seqscan": "off",
    # None of our statements runs long enough to gain from compilation or from parallel workers.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # A list may hold the bitmap of an index for a million documents. With less memory, the bitmap becomes lossy: it
    # keeps pages instead of rows.
    "work_mem": "16MB",
}
"""The settings of every session."""

BRIEF = {"lock_timeout": str(int(BRIEF_LOCK_SECONDS * 1000))}
"""What differs in the sessions of a pool that has a patient one."""

# Errors that a retry may resolve. Nearly every other error of Postgres is a bug in Dossier, and must not be hidden.
_TRANSIENT = (
    OSError,  # TimeoutError is one
    asyncpg.InterfaceError,  # a closed connection; asyncpg also reports some bugs of its caller with this class
    asyncpg.InternalClientError,  # Postgres has closed an idle connection, and asyncpg used it nevertheless
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
)

_LOST = (
    ConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
"""The errors of a statement whose connection broke. No timeout is among them."""

Row = Any
"""A row as asyncpg returns it: values by column name."""


class Database:
    """A pool of connections to one database. Each call is one statement, which is one transaction.

    `patient`: the pool of the statements that wait longer for locks. Without it, all statements wait as long.
    """

    def __init__(self, pool: Any, patient: "Database | None" = None) -> None:
        self._pool = pool
        self._patient = patient
        self._locks = AdvisoryLocks(pool, ACQUIRE_SECONDS, STATEMENT_SECONDS)
        self._queues = Turns(sys.maxsize, each=1)

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        """Return all rows of a statement with `$1`, `$2` … for its arguments.

        A statement whose lock is not free within a moment waits for it on a patient connection, and occupies none of
        this pool.

        Raises:
            NotBegun: no connection within 2 s, or no lock within 2.5 s.
            Unavailable: no answer within 3 s, or the server closed the connection. A statement that writes may have
                committed, or may still commit.
        """
        try:
            return await self._fetch(sql, *arguments)
        except Locked:
            if self._patient is None:
                raise
            return await self._patient.fetch(sql, *arguments)

    async def _fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        is_connected = False
        try:
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                is_connected = True
                try:
                    rows: Sequence[Row] = await connection.fetch(sql, *arguments, timeout=STATEMENT_SECONDS)
                except (TimeoutError, asyncio.CancelledError, asyncpg.InternalClientError):
                    # The result may still arrive. To ask the server to cancel the statement could take as long as the
                    # statement itself.
                    connection.terminate()
                    raise
                return rows
        except _TRANSIENT as error:
            raise _kind(error, is_connected)(f"database: {type(error).__name__}: {error}") from error

    async def fetch_one(self, sql: str, *arguments: object) -> Row | None:
        """Return the first row of a statement; `None` if it returns no row. Raises as `fetch` does."""
        rows = await self.fetch(sql, *arguments)
        return rows[0] if rows else None

    async def read(self, sql: str, *arguments: object) -> Sequence[Row]:
        """Return all rows of a statement that only reads, for many requests. If its connection breaks, it runs once
        more: otherwise all these requests would fail. Raises as `fetch` does.
        """
        try:
            return await self.fetch(sql, *arguments)
        except NotBegun:
            raise
        except Unavailable as error:
            # A repetition after a timeout would double the load of a slow server.
            if not isinstance(error.__cause__, _LOST):
                raise
            return await self.fetch(sql, *arguments)

    async def pages(
        self, sql: str, *arguments: object, after: Mapping[str, object], size: int
    ) -> AsyncIterator[Sequence[Row]]:
        """Yield the rows of a statement in pages of at most `size` rows. Raises as `fetch` does.

        The last parameters of the statement are a position and `size`. The position has the values of some columns in
        the last row of the page before. `after`: the names of these columns, and the position of the first page.
        """
        position = tuple(after.values())
        while rows := await self.fetch(sql, *arguments, *position, size):
            yield rows
            position = tuple(rows[-1][column] for column in after)

    async def fetch_with_retry(self, sql: str, *arguments: object) -> Sequence[Row]:
        """Return all rows of a statement that may be repeated, because it recognises what an earlier call has written.

        Raises:
            Unavailable: three attempts failed. It is not known whether anything was written.
        """
        for _ in range(TRIES - 1):
            with suppress(Unavailable):
                return await self.fetch(sql, *arguments)
        return await self.fetch(sql, *arguments)

    async def change(self, workspace: str, sql: str, *arguments: object) -> Sequence[Row]:
        """Return as `fetch_with_retry` does, for a statement that takes the lock of the workspace.

        It first waits for earlier changes of the workspace. Otherwise each of them would occupy a connection.
        """
        async with self._queues.of(workspace):
            return await self.fetch_with_retry(sql, *arguments)

    async def run(self, query: Query[Any, Any]) -> Sequence[Row]:
        """Return the rows of a query of Piccolo's builder. Raises as `fetch` does."""
        sql, arguments = query.default_querystrings[0].compile_string(engine_type="postgres")
        return await self.fetch(sql, *arguments)

    @asynccontextmanager
    async def try_advisory_lock(self, lock: int) -> AsyncIterator[bool]:
        """Take an advisory lock for the block if the lock is free. Yield whether this block got it. All blocks together
        occupy one connection.

        Raises:
            Unavailable: as `fetch` does, at the beginning of the block.
        """
        try:
            is_held = await self._locks.take(lock)
        except _TRANSIENT as error:
            raise Unavailable(f"database: {type(error).__name__}: {error}") from error
        try:
            yield is_held
        finally:
            if is_held:
                # If the session was lost, so was its lock.
                with suppress(*_TRANSIENT):
                    await self._locks.release(lock)

    async def probe(self) -> None:
        """Return without a value if the database answers. Raises as `fetch` does."""
        await self.fetch("SELECT 1")


@asynccontextmanager
async def open_database(
    url: str,
    name: str = "dossier",
    *,
    size: int = POOL_SIZE,
    opened: int = 1,
    patient: Database | None = None,
) -> AsyncIterator[Database]:
    """Open a pool for a `postgresql://` URL, and close it after the block.

    Postgres shows its sessions as `name`. The pool has at most `size` connections, and opens the first `opened` now.

    Raises:
        Unavailable: no server answers at that address, or it refuses the connection.
    """
    try:
        engine = _Engine({"dsn": url, "timeout": CONNECT_SECONDS})
        await engine.start_connection_pool(
            min_size=opened,
            max_size=size,
            reset=_keep_session,
            server_settings=SESSION | {"application_name": name} | (BRIEF if patient else {}),
        )
    # Every error of Postgres is caught here, because a mistake in the URL can cause many different ones.
    except (*_TRANSIENT, asyncpg.PostgresError) as error:
        raise Unavailable(f"database: {connection_problem(error)}") from error
    assert engine.pool is not None
    for table in TABLES:
        # Piccolo's builder asks the engine of a table for the SQL dialect. Queries run in `Database`, so any engine is
        # sufficient.
        table._meta.db = engine
    try:
        yield Database(engine.pool, patient)
    finally:
        try:
            await asyncio.wait_for(engine.pool.close(), STATEMENT_SECONDS)
        except TimeoutError:
            engine.pool.terminate()


def _kind(error: Exception, is_connected: bool) -> type[Unavailable]:
    """Return the kind of a failure of a statement."""
    if not is_connected or isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return NotBegun
    return Locked if _waited_for_a_lock(error) else Unavailable


def _waited_for_a_lock(error: Exception) -> bool:
    """Return whether a statement ended before it had its first lock, which each of our writes takes at its start."""
    if isinstance(error, asyncpg.QueryCanceledError):
        # A row lock is awaited twice: first for a place in its queue, and each time for the whole `lock_timeout`. So
        # `statement_timeout` may end the second wait. Only an English message of the server tells so.
        return "while locking tuple" in (error.context or "")
    return isinstance(error, asyncpg.LockNotAvailableError)


def connection_problem(error: Exception) -> str:
    """Return the reason why no connection could be opened, in words for an operator."""
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return f"the user or the password in its URL is wrong: {error}"
        case asyncpg.InvalidCatalogNameError():
            return f"{error}: create it, or correct its URL"
        case TimeoutError():
            return f"no answer within {CONNECT_SECONDS:.0f} seconds; check host and port in its URL"
        case OSError():
            return f"no connection; check host and port in its URL: {error}"
        case asyncpg.exceptions.ClientConfigurationError() | asyncpg.exceptions.TargetServerAttributeNotMatched():
            # libpq's variables complete what the URL does not name.
            return f"its URL, or a variable such as PGSSLMODE, does not fit the server: {' '.join(str(error).split())}"
        case asyncpg.CantChangeRuntimeParamError() | asyncpg.UndefinedObjectError():
            return f"its URL has a parameter that the server refuses: {error}"
        case _:
            return f"{type(error).__name__}: {error}"


class _Engine(PostgresEngine):
    """Piccolo's engine without the queries that its constructor makes, which would block the event loop."""

    async def check_version(self) -> None:
        """Skip Piccolo's query for the version of Postgres."""

    async def prep_database(self) -> None:
        """Skip the creation of extensions by Piccolo: the migrations create them."""


async def _keep_session(connection: Any) -> None:
    """Do not reset the session when a connection is released: a reset costs a second round trip, and none of our
    statements changes the session."""
