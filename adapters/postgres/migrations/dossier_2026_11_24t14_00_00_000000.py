"""What the sweeper needs: condemned paths, and to know which store belongs to this database."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-24T14:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Sweeping"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dossier", description=DESCRIPTION)
    folder = Path(__file__).parent

    async def create() -> None:
        engine = engine_finder()
        assert engine is not None
        # Piccolo notes a migration after it is committed: one that was killed in between has no note.
        if (await engine.run_ddl("SELECT to_regclass('deployment') AS made"))[0]["made"] is not None:
            return
        for statement in (folder / "0003_sweeping.sql").read_text().split("\n---\n"):
            await engine.run_ddl(statement)
        # Once more, because it has learned that a path can be taken by no document; for servers that run it, nothing
        # else has changed.
        await engine.run_ddl((folder / "0002_record_documents_v2.sql").read_text())

    manager.add_raw(create)
    return manager
