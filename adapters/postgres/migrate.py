"""The migration of a database to the schema of this version. If several processes try at the same time, one of them
migrates."""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence

import asyncpg

from adapters.postgres.database import CONNECT_SECONDS, Database, connection_problem
from adapters.postgres.migrations import REPORT
from adapters.postgres.piccolo_app import APP_NAME, MIGRATIONS
from ports.system import Unavailable

log = logging.getLogger("dossier.migrations")

# The number must differ from those of all other advisory locks of this database. It is the text "dossier" in ASCII.
_LOCK = 0x646F7373696572


async def pending(database: Database) -> Sequence[str]:
    """Return the migrations of this version that did not run in the database yet, oldest first."""
    known = sorted(file.stem for file in MIGRATIONS.glob("0*.py"))
    applied: set[str] = set()
    if (await database.fetch("SELECT to_regclass('migration') AS found"))[0]["found"] is not None:
        rows = await database.fetch("SELECT name FROM migration WHERE app_name = $1", APP_NAME)
        applied = {row["name"] for row in rows}
    return [migration for migration in known if migration not in applied]


async def is_empty(database: Database) -> bool:
    """Return whether no document was ever recorded: the ledger of storage paths is empty or does not exist."""
    if (await database.fetch("SELECT to_regclass('objects') AS found"))[0]["found"] is None:
        return True
    return not (await database.fetch("SELECT EXISTS (SELECT FROM objects) AS found"))[0]["found"]


async def migrate(url: str) -> None:
    """Run the pending migrations. Several processes may call this at once: one migrates, the others wait for it.

    The report of a migration is logged as a warning, because an operator sees warnings at every log level.

    Raises:
        Unavailable: the database does not answer, or a migration failed; the message says why.
    """
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
        try:
            # The lock belongs to the session, so the database releases it when the connection is closed or lost.
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
            await _run_piccolo(url)
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(f"database: {connection_problem(error)}") from error


async def _run_piccolo(url: str) -> None:
    # Piccolo runs in a separate process, because it keeps its engine in global variables and prints to standard output.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "piccolo.main", "migrations", "forwards", APP_NAME),
        env=os.environ | {"PICCOLO_CONF": "adapters.postgres.piccolo_conf", "DOSSIER_DATABASE_URL": url},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        # The migration must not continue after we release the lock.
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise Unavailable(f"the migration failed:\n{output.decode(errors='replace')}")
    for line in output.decode(errors="replace").splitlines():
        _, found, report = line.partition(REPORT)
        if found:
            log.warning(report)
