"""Rewrite stored tags and folder paths as requests must write them now, and compute searched texts again.

Migration 0002 did not change tags and folder paths that the stricter rules refuse, so no request could name them. Also,
a search now ignores strokes and hooks of letters, so searched texts must be folded again.
"""

from uuid import UUID

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import Connection, Progress, in_steps, in_workspaces
from domain.documents import TAG_MAX, mime_type
from domain.paths import nearest_folder_path
from domain.search import search_text
from domain.text import fold, nearest_label
from domain.wording import counted

ID = "0005_labels"
VERSION = "1.38.0"
DESCRIPTION = "Labels in the present form"

# A batch holds the workspace lock. So these bound its statements: the number of rows that are read, of documents that
# move to another folder, and of characters that enter the index of trigrams.
_ROWS = 500
_MOVED = 100
_CHARACTERS = 50_000

_READ_FOLDERS = """
SELECT id, path FROM folders WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
"""

_MOVE_DOCUMENTS = """
WITH moved AS (
    UPDATE documents SET folder_id = target.id FROM folders target
    WHERE documents.workspace_id = $1 AND documents.id IN (
        SELECT id FROM documents WHERE workspace_id = $1 AND folder_id = $2 ORDER BY id LIMIT $4
    ) AND target.workspace_id = $1 AND target.path_digest = sha256(convert_to($3, 'UTF8'))
    RETURNING 1
)
SELECT count(*) FROM moved
"""

_READ_DOCUMENTS = """
SELECT id, name, description, mime_type, tags, search_text FROM documents
WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
"""

_WRITE_TEXTS = """
UPDATE documents SET mime_type = new.mime_type, search_text = new.search_text
FROM unnest($2::uuid[], $3::text[], $4::text[]) AS new (id, mime_type, search_text)
WHERE documents.workspace_id = $1 AND documents.id = new.id
"""


async def _fold_api_keys(connection: Connection, workspace: UUID, progress: Progress) -> bool:  # noqa: ARG001
    rows = await connection.fetch("SELECT id, name, search_text FROM api_keys WHERE workspace_id = $1", workspace)
    await connection.executemany(
        "UPDATE api_keys SET search_text = $3 WHERE workspace_id = $1 AND id = $2",
        [(workspace, row["id"], fold(row["name"])) for row in rows if fold(row["name"]) != row["search_text"]],
    )
    return False


async def _replace_folders(connection: Connection, workspace: UUID, progress: Progress) -> bool:
    """Move documents to the folder with the normalised path, which may exist already."""
    rows = await connection.fetch(_READ_FOLDERS, workspace, progress.after, _ROWS)
    room = _MOVED
    for row in rows:
        path = nearest_folder_path(row["path"])
        if path != row["path"]:
            await connection.execute("SELECT ensure_folders($1, $2)", workspace, [path])
            moved = await connection.fetchval(_MOVE_DOCUMENTS, workspace, row["id"], path, room)
            room -= moved
            if room == 0:
                # The folder may have more documents.
                return True
            await connection.execute("DELETE FROM folders WHERE workspace_id = $1 AND id = $2", workspace, row["id"])
            progress.add("folders", 1)
        progress.after = str(row["id"])
        if not progress.has_time():
            return True
    return len(rows) == _ROWS


async def _rewrite_documents(connection: Connection, workspace: UUID, progress: Progress) -> bool:
    rows = await connection.fetch(_READ_DOCUMENTS, workspace, progress.after, _ROWS)
    tagged, texts, characters = [], [], 0
    for row in rows:
        tags = list(dict.fromkeys(nearest_label(tag, most=TAG_MAX) for tag in row["tags"]))
        if tags != row["tags"]:
            tagged.append((workspace, row["id"], tags))
        # The domain folds texts, not SQL, because no database folds text as Python does.
        new = mime_type(row["mime_type"]), search_text(row["name"], row["description"])
        if new != (row["mime_type"], row["search_text"]):
            texts.append((row["id"], *new))
            characters += len(row["search_text"])
        progress.after = str(row["id"])
        if characters > _CHARACTERS or not progress.has_time():
            break
    # The revision grows, so that ETags that clients have stored no longer match.
    await connection.executemany(
        "UPDATE documents SET tags = $3, revision = revision + 1 WHERE workspace_id = $1 AND id = $2", tagged
    )
    if texts:
        await connection.execute(_WRITE_TEXTS, workspace, *map(list, zip(*texts, strict=True)))
    progress.add("documents", len(tagged))
    return bool(rows) and (len(rows) == _ROWS or progress.after != str(rows[-1]["id"]))


def _folders_report(progress: Progress) -> str | None:
    found = progress.counts.get("folders")
    return f"rewrote the path of {counted(found, 'folder')}" if found else None


def _documents_report(progress: Progress) -> str | None:
    found = progress.counts.get("documents")
    return f"rewrote the tags of {counted(found, 'document')}" if found else None


STEPS = (
    in_workspaces("fold the names of API keys", _fold_api_keys),
    in_workspaces("replace folders", _replace_folders, _folders_report),
    in_workspaces("rewrite documents", _rewrite_documents, _documents_report),
)


async def forwards() -> MigrationManager:
    return in_steps(ID, STEPS)
