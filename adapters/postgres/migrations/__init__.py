"""The history of the schema: one number per migration, shared by its `.py` and its `.sql` file.

The `.sql` file creates and changes tables and indexes. The `.py` file lists the files that the migration runs, in
order: its own `.sql` file, and one file for each new function or view, from `adapters/postgres/sql/`.

A released migration and the files it runs never change. A changed function gets a new file and a new name
(`find_receipt`, then `find_receipt_v2`), so that two versions of the service can run on one database. A later migration
drops the old function, once no supported version calls it. So `sql/` holds each function once, and no migration needs a
copy. `schema.sql` shows the tables, indexes and views that all migrations together create. A test generates it anew.

A migration that was killed is safe to run again. Each runs in one transaction. Piccolo records a migration after that
transaction has committed, so a killed process can leave a migration that is committed but not recorded. Therefore each
migration names something that it creates, and does nothing if that exists. Other processes wait (`migrate.py`).
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder
from piccolo.engine.postgres import PostgresEngine

_POSTGRES = Path(__file__).parent.parent


async def _nothing(connection: Any) -> None:  # noqa: ARG001  as the step of a migration is called
    return


def run_once(
    migration_id: str, files: Sequence[str], creates: str, then: Callable[[Any], Awaitable[None]] = _nothing
) -> MigrationManager:
    """Return a migration that runs these files of `adapters/postgres`, unless it has created `creates` before.

    `creates` names a relation, a function, or a column as `table.column`. `then` is called with the connection, in the
    same transaction.
    """
    manager = MigrationManager(migration_id=migration_id, app_name="dossier", description=migration_id)

    table, _, column = creates.partition(".")

    async def run() -> None:
        engine = engine_finder()
        assert isinstance(engine, PostgresEngine)
        made = (
            f"SELECT coalesce(to_regclass('{creates}')::oid, to_regproc('{creates}')::oid) IS NOT NULL OR EXISTS ("  # noqa: S608
            f"SELECT FROM pg_attribute WHERE attrelid = to_regclass('{table}') AND attname = '{column}') AS made"
        )
        if (await engine.run_ddl(made))[0]["made"]:
            return
        transaction = engine.current_transaction.get()
        assert transaction is not None
        for file in files:
            # asyncpg's own `execute`, because Piccolo prepares a statement, and only one at a time can be prepared.
            await transaction.connection.execute((_POSTGRES / file).read_text())
        await then(transaction.connection)

    manager.add_raw(run)
    return manager
