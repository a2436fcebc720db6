"""A tree of folders, in which a move changes one row.

The path of a folder is computed. Servers of an earlier version call functions that find the tree instead of the paths.
"""

import re
from pathlib import Path
from uuid import UUID

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import Batches, Connection, Progress, Together, in_steps, in_workspaces

ID = "0008_folders"
VERSION = "1.38.0"
DESCRIPTION = "A tree of folders"

_ROWS = 500

_FILL = """
WITH page AS (
    SELECT id, path FROM folders WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
), filled AS (
    UPDATE folders SET name = right(page.path, strpos(reverse(page.path), '/') - 1), parent_id = (
        SELECT above.id FROM folders AS above
        WHERE above.workspace_id = $1
            AND above.path_digest = sha256(convert_to(left(page.path, -strpos(reverse(page.path), '/')), 'UTF8'))
        LIMIT 1
    )
    FROM page WHERE folders.workspace_id = $1 AND folders.id = page.id AND folders.name = ''
)
SELECT id FROM page ORDER BY id
"""

_SETTLE = """
WITH page AS (
    SELECT id FROM folders WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
)
SELECT id, settle_heights($1, ARRAY(SELECT id FROM page)) FROM (SELECT max(id::text)::uuid AS id FROM page)
"""

# What servers of an earlier version call, and the look-up in it that would read all folders through the view.
_FORMER = ("record_documents", "patch_document", "patch_document_v2", "find_documents", "find_documents_v2")
_LOOK_UP = re.compile(
    r"SELECT (?:folders\.)?id FROM folders\s+"
    r"WHERE workspace_id = workspace AND path_digest = sha256\(convert_to\((.+?), 'UTF8'\)\)"
)
_SQL = Path(__file__).parent.parent / "sql"


async def _fill(connection: Connection, workspace: UUID, progress: Progress) -> bool:
    rows = await connection.fetch(_FILL, workspace, progress.after, _ROWS)
    progress.after = str(rows[-1]["id"]) if rows else None
    return len(rows) == _ROWS


async def _settle(connection: Connection, workspace: UUID, progress: Progress) -> bool:
    last = await connection.fetchval(_SETTLE, workspace, progress.after, _ROWS)
    progress.after = last and str(last)
    return last is not None


async def _replace_look_ups(connection: Connection, progress: Progress) -> bool:  # noqa: ARG001
    for function in _FORMER:
        text, count = _LOOK_UP.subn(r"SELECT find_folder(workspace, \1)", (_SQL / f"{function}.sql").read_text())
        assert count == 1, function
        await connection.execute(text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    return False


STEPS = (
    "sql/settle_heights.sql",
    "sql/settle_folders.sql",
    "sql/name_unplaced_folder.sql",
    "sql/place_folders.sql",
    "migrations/0008_folders.sql",
    in_workspaces("place the folders", _fill),
    in_workspaces("settle the heights", _settle),
    "migrations/0008_folders_filled.sql",
    "sql/find_folder.sql",
    "sql/folders_within_v2.sql",
    "sql/missing_folders.sql",
    "sql/ensure_folders_v2.sql",
    "sql/has_room_for_folder.sql",
    "sql/have_documents.sql",
    "sql/keep_used_folders.sql",
    "sql/count_documents_within.sql",
    "sql/record_documents_v2.sql",
    "sql/patch_document_v3.sql",
    "sql/move_folder_v3.sql",
    "sql/delete_folder_v2.sql",
    "sql/delete_empty_folders.sql",
    "sql/list_folders_v2.sql",
    "sql/find_documents_v3.sql",
    Together("migrations/0008_folders_swapped.sql"),
    Batches("look folders up in the tree", _replace_look_ups),
    "migrations/0008_folders_finished.sql",
)


async def forwards() -> MigrationManager:
    return in_steps(ID, STEPS)
