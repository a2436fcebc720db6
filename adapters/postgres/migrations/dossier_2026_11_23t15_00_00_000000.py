"""The first schema: tenants, keys, documents, the ledger of paths, receipts and events.

Every unique key and foreign key begins with the workspace, so that workspaces can be spread over databases.
"""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-23T15:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "First schema"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dossier", description=DESCRIPTION)
    folder = Path(__file__).parent

    async def create() -> None:
        engine = engine_finder()
        assert engine is not None
        # Piccolo notes a migration after it is committed: one that was killed in between has no note.
        if (await engine.run_ddl("SELECT to_regclass('workspaces') AS made"))[0]["made"] is not None:
            return
        for file in ("0001_tables.sql", "0001_record_documents_v1.sql"):
            # One statement a call: several in one are refused by the protocol that prepares them.
            for statement in (folder / file).read_text().split("\n---\n"):
                await engine.run_ddl(statement)

    manager.add_raw(create)
    return manager
