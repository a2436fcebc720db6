"""The history of the schema: one number per migration, shared by its `.py` and its `.sql` file.

The `.sql` file creates and changes tables and indexes. The `.py` file lists the files that the migration runs, in
order: its own `.sql` file, and one file for each new function or view, from `adapters/postgres/sql/`.

A released migration and the files it runs never change. A changed function gets a new file and a new name
(`condemn_objects`, then `condemn_objects_v2`), so that two versions of the service can run on one database. A later
migration drops the old function, once no supported version calls it. So `sql/` contains each function once, and no
migration needs a copy.

`schema.sql` shows the tables, indexes and views that all migrations together create, lists the functions, and says
which of them are superseded. `make generated` writes it, and a test compares it.

A migration that was killed can run again. Each migration runs in one transaction. Piccolo records a migration after
that transaction has committed, so a killed process can leave a migration that is committed but not recorded. Therefore
each migration names something that it creates, and does nothing if that exists. A migration that only rewrites rows may
run twice instead. While one process migrates, other processes wait (`migrate.py`).

A migration may report what it has changed, in one sentence, which the operator sees.
"""

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder
from piccolo.engine.postgres import PostgresEngine

REPORT = "report: "
"""The prefix of each printed text that is meant for the operator. Piccolo prints other texts too, even on the same
line."""

_POSTGRES = Path(__file__).parent.parent


async def _nothing(connection: Any) -> str | None:  # noqa: ARG001  as the step of a migration is called
    return None


def run_once(
    migration_id: str,
    files: Sequence[str],
    creates: str | None,
    then: Callable[[Any], Awaitable[str | None]] = _nothing,
) -> MigrationManager:
    """Return a migration that runs these files of `adapters/postgres`, unless it has created `creates` before.

    `creates` names a relation or a function; `None` is for a migration that may run twice. `then` is called with the
    connection, in the same transaction, and returns a report for the operator, if there is anything to report.
    """
    manager = MigrationManager(migration_id=migration_id, app_name="dossier", description=migration_id)

    async def run() -> None:
        engine = engine_finder()
        assert isinstance(engine, PostgresEngine)
        if creates is not None:
            made = f"SELECT coalesce(to_regclass('{creates}')::oid, to_regproc('{creates}')::oid) AS made"
            if (await engine.run_ddl(made))[0]["made"] is not None:
                return
        transaction = engine.current_transaction.get()
        assert transaction is not None
        for file in files:
            # Use asyncpg's `execute`, which can run a file of several statements. Piccolo prepares statements, and
            # Postgres prepares only one at a time.
            await transaction.connection.execute((_POSTGRES / file).read_text())
        if report := await then(transaction.connection):
            sys.stdout.write(f"{REPORT}{migration_id} {report}\n")

    manager.add_raw(run)
    return manager
