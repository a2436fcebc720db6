"""Bring a database to the schema of this version, once, whoever else tries at the same time."""

import asyncio
import os
import sys
from collections.abc import Sequence

import asyncpg

from adapters.postgres.database import CONNECT_SECONDS, Database
from adapters.postgres.piccolo_app import APP_NAME, MIGRATIONS
from ports.system import Unavailable

# Any number that nobody else uses on this database: these are the letters "dossier".
_LOCK = 0x646F7373696572


async def pending(database: Database) -> Sequence[str]:
    """The migrations this version knows and the database has not had, oldest first."""
    known = sorted(file.stem for file in MIGRATIONS.glob("0*.py"))
    had: set[str] = set()
    if (await database.fetch("SELECT to_regclass('migration') AS found"))[0]["found"] is not None:
        rows = await database.fetch("SELECT name FROM migration WHERE app_name = $1", APP_NAME)
        had = {row["name"] for row in rows}
    return [migration for migration in known if migration not in had]


async def is_empty(database: Database) -> bool:
    """Whether no document was ever recorded, or could be."""
    if (await database.fetch("SELECT to_regclass('objects') AS found"))[0]["found"] is None:
        return True
    return not (await database.fetch("SELECT EXISTS (SELECT FROM objects) AS found"))[0]["found"]


async def migrate(url: str) -> None:
    """Run what is pending. Safe to call from many processes at once: one runs, the others wait and find it done.

    Raises:
        Unavailable: the database does not answer, or a migration failed; the text says how.
    """
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
        try:
            # A lock of the session: it is given back when the connection is closed, and when it is lost.
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
            await _run_piccolo(url)
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(f"database: {type(error).__name__}: {error}") from error


async def _run_piccolo(url: str) -> None:
    # In a process of its own: Piccolo keeps its engine in globals, and prints.
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
        # It must not go on without our lock.
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise Unavailable(f"the migration failed:\n{output.decode(errors='replace')}")
