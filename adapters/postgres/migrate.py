"""The migration of a database to the schema of this version. If several processes try at the same time, one of them
migrates."""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence

from adapters.postgres.database import Database
from adapters.postgres.piccolo_app import APP_NAME, MIGRATIONS
from adapters.postgres.suitable import require_suitable
from adapters.postgres.upgrade.session import REPORT
from ports.system import Unavailable

log = logging.getLogger("dossier.migrations")


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

    What a migration reports is logged as a warning, because an operator sees warnings at every log level.

    Raises:
        Unavailable: the database does not answer, its settings do not suffice, or a migration failed; the message says
            why.
    """
    await require_suitable(url)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "adapters.postgres.upgrade.process"),
        env=os.environ | {"DOSSIER_DATABASE_URL": url},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    output = []
    try:
        async for line in process.stdout:
            text = line.decode(errors="replace")
            _, is_report, report = text.rstrip("\n").partition(REPORT)
            if is_report:
                log.warning(report)
            output.append(text)
        await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise Unavailable(f"the migration failed:\n{''.join(output)}")
