"""The session that migrates: it waits for locks without stopping requests, and reports what it waits for."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import asyncpg

from adapters.postgres.upgrade.steps import Connection

T = TypeVar("T")

REPORT = "report: "
"""The prefix of each printed text that is meant for the operator. Piccolo prints other texts too, even on the same
line."""

# While a statement waits for a lock that stops requests, new requests queue behind it. So the first attempt waits for
# the first of these times, and none for longer than the second: much shorter than a request may take.
_MILLISECONDS = (100, 400)
# The other locks stop no reader and no writer.
HARMLESS_MILLISECONDS = (5000, 5000)
_POLL_SECONDS = 0.1
_SHORTEST_PAUSE_SECONDS = 0.3
_LONGEST_PAUSE_SECONDS = 5.0
_REPORT_AFTER_SECONDS = 5.0
_REPORT_EVERY_SECONDS = 60.0

# The view of locks shows the transactions of every user; that of sessions hides the times of other users.
_HOLDERS = """
SELECT DISTINCT held.virtualtransaction AS transaction, held.pid, session.usename, session.application_name
FROM pg_locks held
JOIN pg_database ON pg_database.oid = held.database AND datname = current_database()
JOIN pg_class ON pg_class.oid = held.relation AND relnamespace <> 'pg_catalog'::regnamespace
LEFT JOIN pg_stat_activity session ON session.pid = held.pid
WHERE held.locktype = 'relation' AND held.granted AND held.pid IS DISTINCT FROM $1
"""
# Each transaction holds a lock on its own id. The times of other users are hidden, so they count as old.
_TRANSACTIONS = """
SELECT held.pid, session.usename, session.application_name
FROM pg_locks held JOIN pg_stat_activity session ON session.pid = held.pid AND session.datname = current_database()
WHERE held.locktype = 'virtualxid' AND held.granted AND held.pid <> $1
    AND coalesce(now() - session.xact_start > interval '1 second', true)
"""


class Session:
    """A connection that no transaction is open on. `name` begins its reports."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._reported = -_REPORT_EVERY_SECONDS

    async def briefly(
        self, work: Callable[[], Awaitable[T]], tables: Sequence[str] = (), waits: tuple[int, int] = _MILLISECONDS
    ) -> T:
        """Call `work` in a transaction that waits for its locks only in short attempts. Return its result.

        Between two attempts, all queued requests go on, and the transactions that held locks get time to end.
        """
        wait, longest = waits
        while True:
            try:
                async with self._connection.transaction():
                    if tables:
                        # An autovacuum ends itself only for a lock that was awaited for longer than `deadlock_timeout`.
                        # So wait with a lock that stops no request, and which keeps the next autovacuum away.
                        await self._wait_at_most(HARMLESS_MILLISECONDS[0])
                        for table in tables:
                            await self._connection.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
                    await self._wait_at_most(wait)
                    return await work()
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                await self.let_others_pass()
                wait = min(2 * wait, longest)

    async def _wait_at_most(self, milliseconds: int) -> None:
        await self._connection.execute(f"SET LOCAL lock_timeout = {milliseconds}")

    async def unhurried(self, sql: str) -> None:
        """Execute a statement that waits for all transactions that are open now, and stops no request meanwhile."""
        waited_for = await self._connection.fetch(_TRANSACTIONS, self._connection.get_server_pid())
        task = asyncio.ensure_future(self._connection.execute(sql))
        try:
            done, _ = await asyncio.wait([task], timeout=_REPORT_AFTER_SECONDS)
            if not done and waited_for:
                self._report(f"{sql.partition(' ON ')[0]} may have to wait for {_described(waited_for)}")
            await task
        finally:
            task.cancel()

    async def let_others_pass(self) -> None:
        """Pause until the transactions that hold locks now have ended, for some seconds at most."""
        begun = time.monotonic()
        holders = await self._holders()
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            waited = time.monotonic() - begun
            present = await self._holders()
            holders = {key: holder for key, holder in holders.items() if key in present}
            if (not holders and waited >= _SHORTEST_PAUSE_SECONDS) or waited >= _LONGEST_PAUSE_SECONDS:
                break
        if holders:
            self._report(f"waits for a lock that may be held by {_described(holders.values())}")

    async def _holders(self) -> dict[str, Any]:
        rows = await self._connection.fetch(_HOLDERS, self._connection.get_server_pid())
        return {row["transaction"]: row for row in rows}

    def _report(self, text: str) -> None:
        if time.monotonic() - self._reported >= _REPORT_EVERY_SECONDS:
            self._reported = time.monotonic()
            say(f"{self._name} {text}")


def say(text: str) -> None:
    """Write a message to standard output. The parent process, `migrate`, reads it and logs it as a warning."""
    sys.stdout.write(f"{REPORT}{text}\n")
    sys.stdout.flush()


def _described(holders: Any) -> str:
    return ", ".join(
        f"process {row['pid']} ({row['application_name'] or row['usename'] or 'unknown'})"
        if row["pid"]
        else "a prepared transaction"
        for row in holders
    )
