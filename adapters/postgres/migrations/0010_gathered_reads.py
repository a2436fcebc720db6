"""Reads of documents and of usage that wait at the same time share a call."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from adapters.postgres.migrations import in_steps

ID = "0010_gathered_reads"
VERSION = "1.38.0"
DESCRIPTION = "Reads share calls"

STEPS = ("sql/read_documents.sql", "sql/read_usage.sql")


async def forwards() -> MigrationManager:
    return in_steps(ID, STEPS)
