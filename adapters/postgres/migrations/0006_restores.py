"""The facts by which a database notices that it was restored."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import in_steps

ID = "0006_restores"
VERSION = "1.38.0"
DESCRIPTION = "Restores are noticed"

# The function before the trigger that calls it.
STEPS = ("sql/count_change.sql", "migrations/0006_restores.sql", "sql/recorded_changes.sql")


async def forwards() -> MigrationManager:
    return in_steps(ID, STEPS)
