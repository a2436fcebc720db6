"""Bounds that hold under attack: on issued uploads, and on folders."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import run_once

ID = "0003_bounds"
VERSION = "1.38.0"
DESCRIPTION = "Bounds on issued uploads and on folders"

FILES = (
    # Before the tables: a column is generated with the first, and the triggers call the second.
    "sql/folder_parent_digest.sql",
    "sql/count_folders.sql",
    "migrations/0003_bounds.sql",
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
    return run_once(ID, FILES, creates="record_documents_v2")
