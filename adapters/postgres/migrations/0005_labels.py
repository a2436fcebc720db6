"""Rewrite stored tags and folder paths as requests must write them now, and compute searched texts again.

Migration 0002 did not change tags and folder paths that the stricter rules refuse, so no request could name them. Also,
a search now ignores strokes and hooks of letters, so searched texts must be folded again.

This migration creates no relation or function. A second run finds nothing to change, so it needs no record that it ran.
"""

from importlib import import_module
from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import run_once
from domain.documents import TAG_MAX
from domain.paths import nearest_folder_path
from domain.text import nearest_label
from domain.wording import counted

ID = "0005_labels"
VERSION = "1.38.0"
DESCRIPTION = "Labels in the present form"

FILES = ()

# The number of rows that are read and written at once.
_ROWS = 1000

_fold_again = import_module("adapters.postgres.migrations.0002_states")._normalise_again


async def _write_again(connection: Any) -> str | None:
    """Rewrite labels and searched texts, and return how many labels changed. No server can write meanwhile."""
    # The locks are taken in the order in which creates and changes take them, so that this transaction cannot deadlock
    # with them.
    await connection.execute("LOCK TABLE folders, documents IN SHARE ROW EXCLUSIVE MODE")
    documents, folders = await _write_tags(connection), await _replace_folders(connection)
    await _fold_again(connection)
    if not documents and not folders:
        return None
    return f"rewrote the tags of {counted(documents, 'document')} and the path of {counted(folders, 'folder')}"


async def _write_tags(connection: Any) -> int:
    written = 0
    documents = await connection.cursor("SELECT workspace_id, id, tags FROM documents WHERE tags <> '{}'")
    while rows := await documents.fetch(_ROWS):
        changed = []
        for row in rows:
            tags = list(dict.fromkeys(nearest_label(tag, most=TAG_MAX) for tag in row["tags"]))
            if tags != row["tags"]:
                changed.append((row["workspace_id"], row["id"], tags))
        # The revision grows, so that ETags that clients have stored no longer match.
        await connection.executemany(
            "UPDATE documents SET tags = $3, revision = revision + 1 WHERE workspace_id = $1 AND id = $2", changed
        )
        written += len(changed)
    return written


async def _replace_folders(connection: Any) -> int:
    """Move documents to the folder with the normalised path, which may exist already."""
    replaced = 0
    folders = await connection.cursor("SELECT workspace_id, id, path FROM folders")
    while rows := await folders.fetch(_ROWS):
        for row in rows:
            path = nearest_folder_path(row["path"])
            if path == row["path"]:
                continue
            workspace, folder = row["workspace_id"], row["id"]
            await connection.execute("SELECT ensure_folders($1, $2)", workspace, [path])
            await connection.execute(
                "UPDATE documents SET folder_id = target.id FROM folders target "
                "WHERE documents.workspace_id = $1 AND documents.folder_id = $2 "
                "AND target.workspace_id = $1 AND target.path_digest = sha256(convert_to($3, 'UTF8'))",
                *(workspace, folder, path),
            )
            await connection.execute("DELETE FROM folders WHERE workspace_id = $1 AND id = $2", workspace, folder)
            replaced += 1
    return replaced


async def forwards() -> MigrationManager:
    return run_once(ID, FILES, creates=None, then=_write_again)
