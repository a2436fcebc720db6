"""The first schema. Every unique key and foreign key begins with the workspace, so that workspaces can be spread over
several databases."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import run_once

ID = "0001_baseline"
VERSION = "1.38.0"
DESCRIPTION = "Baseline"

FILES = (
    # Before the tables: an index of documents is made with this function.
    "sql/workspace_tags.sql",
    "migrations/0001_baseline.sql",
    "sql/document_facts.sql",
    "sql/entity_link_facts.sql",
    "sql/document_with_links_facts.sql",
    "sql/subtree_bounds.sql",
    "sql/is_within.sql",
    "sql/find_receipt.sql",
    "sql/ensure_folders.sql",
    "sql/begin_change.sql",
    "sql/begin_document_change.sql",
    "sql/finish_change.sql",
    "sql/record_documents.sql",
    "sql/patch_document.sql",
    "sql/delete_document.sql",
    "sql/add_entity_link.sql",
    "sql/remove_entity_link.sql",
    "sql/move_folder.sql",
    "sql/find_documents.sql",
    "sql/linked_documents.sql",
    "sql/list_folders.sql",
    "sql/list_tags.sql",
    "sql/add_api_key.sql",
    "sql/revoke_api_key.sql",
    "sql/condemn_objects.sql",
)


async def forwards() -> MigrationManager:
    # No development version before the baseline had this table: on such a database the migration fails, and says so.
    return run_once(ID, FILES, creates="entity_links")
