"""The history of the schema: one number per migration, shared by its `.py` and its `.sql` files.

How to write a migration
------------------------
A migration runs while servers of the former version answer requests, and beside `pg_dump`. It can be killed at any
point. The frame (`adapters/postgres/upgrade/`) provides for both if the migration is a list of *steps*:

    STEPS = (
        "sql/folder_parent_digest.sql",        # a new function
        "migrations/0003_bounds.sql",          # statements of SQL
        in_workspaces("count", _count),        # rows that are rewritten in batches
        "migrations/0003_bounds_checks.sql",   # more statements of SQL
    )

    async def forwards() -> MigrationManager:
        return in_steps(ID, STEPS)

**Each statement of a file is a step.** The frame accepts only statements that it can run beside requests, and names the
remedy for others:

- To create an index: `CREATE INDEX CONCURRENTLY name ON …`. The frame builds it again if a build was interrupted.
- To add a column: `ADD COLUMN` without CHECK, REFERENCES or GENERATED; NOT NULL only with a constant DEFAULT.
- To add a check or a foreign key: `ADD CONSTRAINT name … NOT VALID`, then `VALIDATE CONSTRAINT name` as a statement of
  its own.
- To make a column NOT NULL: `ADD CONSTRAINT name CHECK (c IS NOT NULL) NOT VALID`, `VALIDATE CONSTRAINT name`,
  `ALTER COLUMN c SET NOT NULL`, `DROP CONSTRAINT name`.
- To add a unique key: `CREATE UNIQUE INDEX CONCURRENTLY`, then `ADD CONSTRAINT … UNIQUE USING INDEX`.
- To change existing rows: `in_workspaces(name, write)`. The frame calls `write` under the lock of one workspace after
  the other; each call rewrites some hundred rows. For other rows, use `Batches`.
- To replace a table or view that the former version uses: make the new one, keep both alike with triggers, copy old
  rows in batches, then swap them in a step `Together(file)`, a short transaction in which statements may also rename.
- To compute a column: add it, let a trigger fill it in new rows, fill it in old rows in batches, then make it NOT NULL.

A statement that needs a lock that stops requests waits for it at most 0.4 s at a time, then lets the requests pass,
and tries again until it succeeds.

**A killed migration continues.** The table `migration_steps` records each step, in the transaction of the step. So a
step need not be able to run twice. Only `CREATE INDEX CONCURRENTLY` has no transaction: its index is either valid, or
is built again. Two processes never migrate at once (`upgrade/process.py`).

**Expand first, contract later.** Servers of the former version work until they are replaced: add what the new version
needs, and keep what the former one uses. Triggers can fill a new column from what the former version writes. A later
version drops what no supported version uses.

**A released migration and the files it runs never change.** A changed function gets a new file and a new name
(`condemn_objects`, then `condemn_objects_v2`), so that two versions of the service can run on one database. So `sql/`
contains each function once, and no migration needs a copy.

`tests/postgres/test_migrations.py` runs each migration beside readers, writers and an open snapshot, and kills it at
each step. `schema.sql` shows what all migrations together create: the tables, indexes and views, and the names of the
functions, with those that are superseded. `make generated` writes it, and a test compares it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.upgrade.first import run_files
from adapters.postgres.upgrade.runner import Runner, connection_of_process
from adapters.postgres.upgrade.steps import Batches, Connection, Progress, Step, Together, in_workspaces

__all__ = ["Batches", "Connection", "Progress", "Step", "Together", "in_steps", "in_workspaces", "run_once"]


async def _nothing(connection: Any) -> str | None:  # noqa: ARG001  as the step of a migration is called
    return None


def in_steps(migration_id: str, steps: Sequence[Step]) -> MigrationManager:
    """Return a migration that runs these steps."""
    return _manager(migration_id, lambda: Runner(connection_of_process.get(), migration_id).run(steps))


def run_once(
    migration_id: str,
    files: Sequence[str],
    creates: str,
    then: Callable[[Any], Awaitable[str | None]] = _nothing,
) -> MigrationManager:
    """Return one of the first two migrations. A new migration uses `in_steps`.

    `creates` names a relation or a function that the migration creates. `then` is called at the end, with a connection.
    """
    return _manager(migration_id, lambda: run_files(connection_of_process.get(), migration_id, files, creates, then))


def _manager(migration_id: str, run: Callable[[], Awaitable[None]]) -> MigrationManager:
    # The steps make their own transactions.
    manager = MigrationManager(
        migration_id=migration_id, app_name="dossier", description=migration_id, wrap_in_transaction=False
    )

    async def call() -> None:
        await run()

    manager.add_raw(call)
    return manager
