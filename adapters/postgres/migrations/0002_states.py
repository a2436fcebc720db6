"""States for preconditions, folders that can be deleted and replaced, and searches of any letters.

A precondition compares the state of a document, which also changes with its entity links and with a moved folder.
"""

from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import run_once
from domain.documents import mime_type
from domain.search import search_text
from domain.text import fold

ID = "0002_states"
VERSION = "1.38.0"
DESCRIPTION = "States of documents"

FILES = (
    "sql/search_grams.sql",
    "migrations/0002_states.sql",
    "sql/document_state.sql",
    "sql/begin_document_change_v2.sql",
    "sql/patch_document_v2.sql",
    "sql/delete_document_v2.sql",
    "sql/add_entity_link_v2.sql",
    "sql/remove_entity_link_v2.sql",
    "sql/folders_within.sql",
    "sql/move_folder_v2.sql",
    "sql/delete_folder.sql",
    "sql/find_documents_v2.sql",
)

# How many rows are read and written at once.
_ROWS = 1000


async def _normalise_again(connection: Any) -> None:
    """Write searched texts and media types anew: until now they were normalised in another way.

    The domain does this, not SQL, because no database folds text as Python does.
    """
    for row in await connection.fetch("SELECT workspace_id, id, name FROM api_keys"):
        await connection.execute(
            "UPDATE api_keys SET search_text = $3 WHERE workspace_id = $1 AND id = $2",
            *(row["workspace_id"], row["id"], fold(row["name"])),
        )
    read = "SELECT workspace_id, id, name, description, mime_type, search_text FROM documents"
    documents = await connection.cursor(read)
    while rows := await documents.fetch(_ROWS):
        changed = []
        for row in rows:
            kept = row["mime_type"], row["search_text"]
            new = mime_type(row["mime_type"]), search_text(row["name"], row["description"])
            if new != kept:
                changed.append((row["workspace_id"], row["id"], *new))
        if changed:
            await connection.execute(
                "UPDATE documents SET mime_type = new.mime_type, search_text = new.search_text "
                "FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) "
                "AS new (workspace_id, id, mime_type, search_text) "
                "WHERE documents.workspace_id = new.workspace_id AND documents.id = new.id",
                *map(list, zip(*changed, strict=True)),
            )


async def forwards() -> MigrationManager:
    return run_once(ID, FILES, creates="document_state", then=_normalise_again)
