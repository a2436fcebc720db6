"""Bounds that hold under attack: on issued uploads, and on folders."""

from uuid import UUID

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import Connection, Progress, in_steps, in_workspaces

ID = "0003_bounds"
VERSION = "1.38.0"
DESCRIPTION = "Bounds on issued uploads and on folders"

_ROWS = 500

_FILL = """
WITH page AS (
    SELECT id FROM folders WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
), filled AS (
    UPDATE folders SET parent_digest = folder_parent_digest(path) FROM page
    WHERE folders.workspace_id = $1 AND folders.id = page.id AND parent_digest IS NULL
)
SELECT id FROM page ORDER BY id
"""


async def _fill_parents(connection: Connection, workspace: UUID, progress: Progress) -> bool:
    rows = await connection.fetch(_FILL, workspace, progress.after, _ROWS)
    progress.after = str(rows[-1]["id"]) if rows else None
    return len(rows) == _ROWS


async def _count_folders(connection: Connection, workspace: UUID, progress: Progress) -> bool:  # noqa: ARG001
    # The triggers count from now on. Under the workspace lock, they have counted nothing that is not read here.
    count = "UPDATE usage SET folders = (SELECT count(*) FROM folders WHERE workspace_id = $1) WHERE workspace_id = $1"
    await connection.execute(count, workspace)
    return False


STEPS = (
    # Before the tables: the triggers call these.
    "sql/folder_parent_digest.sql",
    "sql/set_folder_parent.sql",
    "sql/count_folders.sql",
    "migrations/0003_bounds.sql",
    in_workspaces("fill the parents of folders", _fill_parents),
    in_workspaces("count the folders", _count_folders),
    "migrations/0003_bounds_filled.sql",
    "sql/missing_folders.sql",
    "sql/has_room_for_folder.sql",
    "sql/record_documents_v2.sql",
    "sql/issue_uploads.sql",
    "sql/reserve_upload.sql",
    "sql/settle_uploads.sql",
    "sql/condemn_objects_v2.sql",
    "sql/document_with_entities_facts.sql",
    "sql/patch_document_v3.sql",
    "sql/move_folder_v3.sql",
    "sql/list_folders_v2.sql",
    "sql/delete_empty_folders.sql",
)


async def forwards() -> MigrationManager:
    return in_steps(ID, STEPS)
