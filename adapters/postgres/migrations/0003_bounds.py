"""Bounds that hold under attack: on issued uploads, and on folders."""

from uuid import UUID

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import Connection, Progress, in_steps, in_workspaces

ID = "0003_bounds"
VERSION = "1.38.0"
DESCRIPTION = "Bounds on issued uploads and on folders"


async def _count_folders(connection: Connection, workspace: UUID, progress: Progress) -> bool:  # noqa: ARG001
    # The triggers count from now on. Under the workspace lock, they have counted nothing that is not read here.
    count = "UPDATE usage SET folders = (SELECT count(*) FROM folders WHERE workspace_id = $1) WHERE workspace_id = $1"
    await connection.execute(count, workspace)
    return False


STEPS = (
    # Before the tables: the triggers call it.
    "sql/count_folders.sql",
    "migrations/0003_bounds.sql",
    in_workspaces("count the folders", _count_folders),
    "migrations/0003_bounds_filled.sql",
    "sql/issue_uploads.sql",
    "sql/reserve_upload.sql",
    "sql/settle_uploads.sql",
    "sql/condemn_objects_v2.sql",
    "sql/document_with_entities_facts.sql",
)


async def forwards() -> MigrationManager:
    return in_steps(ID, STEPS)
