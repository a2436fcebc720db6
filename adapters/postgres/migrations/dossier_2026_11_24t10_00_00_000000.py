"""The write as a batch: one statement a table for all rows of a call. Its predecessor stays for servers that run it."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-24T10:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "record_documents_v2"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dossier", description=DESCRIPTION)

    async def create() -> None:
        engine = engine_finder()
        assert engine is not None
        # OR REPLACE: a migration that was killed before it was noted is made again.
        await engine.run_ddl((Path(__file__).parent / "0002_record_documents_v2.sql").read_text())

    manager.add_raw(create)
    return manager
