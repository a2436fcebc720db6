"""API keys over HTTP: described, searched, known to be in use; and receipts that keep no Idempotency-Key."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder
from piccolo.querystring import QueryString

from domain.text import fold

ID = "2026-11-24T18:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "API keys"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dossier", description=DESCRIPTION)
    folder = Path(__file__).parent

    async def create() -> None:
        engine = engine_finder()
        assert engine is not None
        # Piccolo notes a migration after it is committed: one that was killed in between has no note.
        made = "SELECT to_regprocedure('answered_v1(uuid, jsonb, timestamptz)') AS made"
        if (await engine.run_ddl(made))[0]["made"] is not None:
            return
        for statement in (folder / "0004_api_keys.sql").read_text().split("\n---\n"):
            await engine.run_ddl(statement)
        for row in await engine.run_ddl("SELECT workspace_id, id, name FROM api_keys"):
            update = "UPDATE api_keys SET search_text = {} WHERE workspace_id = {} AND id = {}"
            await engine.run_querystring(QueryString(update, fold(row["name"]), row["workspace_id"], row["id"]))

    manager.add_raw(create)
    return manager
