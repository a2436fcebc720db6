"""Lists, links, and changes of what is recorded, with the indexes that find it."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-27T12:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Finding and changing"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dossier", description=DESCRIPTION)
    folder = Path(__file__).parent

    async def create() -> None:
        engine = engine_finder()
        assert engine is not None
        # Piccolo notes a migration after it is committed: one that was killed in between has no note.
        if (await engine.run_ddl("SELECT to_regclass('documents_search') AS made"))[0]["made"] is not None:
            return
        for statement in (folder / "0005_finding_and_changing.sql").read_text().split("\n---\n"):
            await engine.run_ddl(statement)

    manager.add_raw(create)
    return manager
