"""Functions that cost less in a create."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import in_steps

ID = "0011_costs"
VERSION = "1.38.0"
DESCRIPTION = "Cheaper creates"

STEPS = ("migrations/0011_costs.sql",)


async def forwards() -> MigrationManager:
    return in_steps(ID, STEPS)
