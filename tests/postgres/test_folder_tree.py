"""The rows of folders that a move changes, whatever is below the folder."""

import asyncpg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.rows import to_uuid
from domain.access import Workspace
from ports.outcomes import FolderMoved
from tests.contracts.records import Records

ROWS = """
SELECT path, folder_tree.xmin::text AS version, height
FROM folder_tree JOIN folders USING (workspace_id, id) WHERE workspace_id = $1
"""


async def rows(database: Database, home: Workspace) -> dict[str, tuple[str, int]]:
    """Return the row version (`xmin`) and the height of each folder, by its path."""
    found = await database.fetch(ROWS, to_uuid(home.id))
    return {row["path"]: (row["version"], row["height"]) for row in found}


async def test_a_move_changes_one_folder_and_the_heights_above_it(records: Records, database: Database) -> None:
    home = await records.workspace(quota_bytes=10**6)
    below = [f"/{a}/{b}" for a in range(5) for b in range(5)]
    for folder in (*(f"/a/b{path}" for path in below), "/c/d"):
        await records.recorded(home, folder=folder)
    # Each target, and the folders above the two places whose heights it changes.
    for source, target, above in (
        ("/a/b", "/a/e", []),
        ("/a/e", "/z", ["/a"]),
        ("/z", "/c/d/f", ["/c", "/c/d"]),
        ("/c/d/f", "/c/g", ["/c", "/c/d"]),
    ):
        before = await rows(database, home)
        assert await records.move(home, source, target) == FolderMoved(len(below))
        after = await rows(database, home)
        changed = {path for path, (version, _) in after.items() if version not in {v for v, _ in before.values()}}
        assert changed == {target, *above}
        # The height of each folder is that of the deepest one below it.
        depth = {path: path.count("/") for path in after}
        assert {path: height for path, (_, height) in after.items()} == {
            path: max(depth[other] for other in after if f"{other}/".startswith(f"{path}/")) - depth[path]
            for path in after
        }


async def test_a_folder_of_documents_cannot_be_deleted_by_a_mistaken_statement(
    records: Records, database: Database
) -> None:
    home = await records.workspace()
    await records.recorded(home, folder="/a/b")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await database.fetch("DELETE FROM folder_tree WHERE workspace_id = $1", to_uuid(home.id))
    assert await records.folders(home) == {"/a": 1, "/a/b": 1}
