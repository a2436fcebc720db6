"""What grows is deleted after its time, in small parts."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import in_steps

ID = "0009_retention"
VERSION = "1.38.0"
DESCRIPTION = "Retention"

STEPS = ("migrations/0009_retention.sql",)


async def forwards() -> MigrationManager:
    return in_steps(ID, STEPS)
