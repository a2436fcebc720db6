"""Bounds that hold under attack: on issued uploads, and on folders."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import run_once

ID = "0003_bounds"
VERSION = "1.38.0"
DESCRIPTION = "Bounds on issued uploads and on folders"

FILES = (
    "migrations/0003_bounds.sql",
    "sql/record_documents_v2.sql",
    "sql/issue_uploads.sql",
    "sql/reserve_upload.sql",
    "sql/settle_uploads.sql",
    "sql/condemn_objects_v2.sql",
)


async def forwards() -> MigrationManager:
    return run_once(ID, FILES, creates="record_documents_v2")
