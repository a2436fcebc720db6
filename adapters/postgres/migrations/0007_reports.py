"""Report changes of API keys to the servers, which keep them for minutes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import in_steps

ID = "0007_reports"
VERSION = "1.38.0"
DESCRIPTION = "Changes of API keys are reported"

STEPS = ("sql/report_api_keys.sql", "migrations/0007_reports.sql")


async def forwards() -> MigrationManager:
    return in_steps(ID, STEPS)
