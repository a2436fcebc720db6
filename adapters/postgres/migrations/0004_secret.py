"""The database recognises the secret of its deployment, so that no process uses another one. A revoke whose answer was
lost is no replay."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import in_steps

ID = "0004_secret"
VERSION = "1.38.0"
DESCRIPTION = "The secret of the deployment"

STEPS = ("migrations/0004_secret.sql", "sql/revoke_api_key_v2.sql")


async def forwards() -> MigrationManager:
    return in_steps(ID, STEPS)
