"""Bring a database to the schema of this version, once, whoever else tries at the same time."""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import asyncpg

from adapters.postgres.database import CONNECT_SECONDS, Database
from adapters.postgres.piccolo_app import APP_NAME, MIGRATIONS
from ports.system import Unavailable

# Any number that nobody else uses on this database: these are the letters "dossier".
_LOCK = 0x646F7373696572


async def pending(database: Database) -> Sequence[str]:
    """The migrations this version knows and the database has not had, oldest first."""
    # Piccolo names a migration by its time; its file by the same with '_' for every separator.
    known = sorted(file.stem for file in MIGRATIONS.glob(f"{APP_NAME}_*.py"))
    had: set[str] = set()
    if (await database.fetch("SELECT to_regclass('migration') AS found"))[0]["found"] is not None:
        rows = await database.fetch("SELECT name FROM migration WHERE app_name = $1", APP_NAME)
        had = {_stem(row["name"]) for row in rows}
    return [stem for stem in known if stem not in had]


async def migrate(url: str) -> None:
    """Run what is pending. Safe to call from many processes at once: one runs, the others wait and find it done.

    Raises:
        Unavailable: the database does not answer, or a migration failed; the text says how.
    """
    # Piccolo keeps its engine in globals and takes no lock, so it runs in a process of its own, under our lock.
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except (OSError, asyncpg.PostgresError) as error:
        raise Unavailable(f"database: {type(error).__name__}: {error}") from error
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "piccolo.main", "migrations", "forwards", APP_NAME),
            env=os.environ | {"PICCOLO_CONF": "adapters.postgres.piccolo_conf", "DOSSIER_DATABASE_URL": url},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise Unavailable(f"the migration failed:\n{output.decode(errors='replace')}")
    finally:
        # Closing gives the lock back; the server does so too when the connection is lost.
        with suppress(OSError, asyncpg.PostgresError):
            await connection.close()


def _stem(migration_id: str) -> str:
    return f"{APP_NAME}_" + migration_id.lower().replace("-", "_").replace(":", "_")
