"""What many expensive reads of one workspace leave to the others, in a service with the pools that `app.wiring` opens.

The most expensive read counts tags. It waits for an advisory lock of the test, so the test decides how long it takes.
"""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.pools import JOBS
from adapters.postgres.reads import EACH
from app.settings import Settings
from app.wiring import open_service
from domain.pages import Page, Rows
from ports.deployment import Task
from ports.outcomes import Created
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.records import Records, new_key

SLOW_TAGS = """
ALTER FUNCTION list_tags(uuid, integer, bigint, integer) RENAME TO list_tags_at_once;
CREATE FUNCTION list_tags(workspace uuid, newest integer, skip bigint, size integer, OUT total bigint, OUT rows jsonb)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(4713);
    SELECT * INTO total, rows FROM list_tags_at_once(workspace, newest, skip, size);
END
$$;
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4713 AND NOT granted"
JOBS_WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'deployment'::regclass AND NOT granted"


@pytest.mark.usefixtures("unhurried")
async def test_a_flood_of_expensive_reads_delays_no_other_workspace(tmp_path: Path, own_database_url: str) -> None:
    environment = {"DOSSIER_DATA_DIR": str(tmp_path), "DOSSIER_DATABASE_URL": own_database_url}
    holder = await asyncpg.connect(own_database_url)
    await holder.execute(SLOW_TAGS)
    async with open_service(Settings.read(environment)) as service:
        ports = service.ports
        records = Records(
            ports.workspaces,
            ports.api_keys,
            ports.documents,
            ports.ledger,
            ports.retention,
            ports.deployments,
            StillClock(),
        )
        many, *others = [await records.workspace() for _ in range(5)]
        keys = [await records.added(other) for other in others]
        async with holder.transaction():
            await holder.execute("SELECT pg_advisory_xact_lock(4713)")
            # No two of them are equal, so none shares a call.
            flood = [
                asyncio.create_task(records.documents.tags(many.id, Page(number, 100))) for number in range(1, 201)
            ]
            while await holder.fetchval(WAITING) < EACH:  # noqa: ASYNC110  Postgres sends no event
                await asyncio.sleep(0.01)
            documents = [(other, records.document(other, path=new_key())) for other in others for _ in range(50)]
            outcomes = await asyncio.gather(*(records.create(*each) for each in documents))
            assert outcomes == [Created(document) for _, document in documents]
            for other, key in zip(others, keys, strict=True):
                assert await ports.api_key_lookup.look_up(key.digest) is not None
                assert len(await records.all(other)) == 50
                assert await records.children(other) == {}
            exclusive = ports.deployments.exclusive
            async with exclusive(Task.SWEEP) as sweeps, exclusive(Task.ADVANCE_GENERATION) as advances:
                assert (sweeps, advances) == (True, True)
                await ports.deployments.read()
            await holder.execute("LOCK TABLE deployment")
            jobs = [asyncio.create_task(ports.deployments.read()) for _ in range(20)]
            while await holder.fetchval(JOBS_WAITING) < JOBS:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            document = records.document(others[0], path=new_key())
            assert await records.create(others[0], document) == Created(document)
            assert await holder.fetchval(JOBS_WAITING) <= JOBS
            assert await holder.fetchval(WAITING) == EACH
        await asyncio.wait(jobs)
        results = await asyncio.gather(*flood, return_exceptions=True)
        # Those that got no turn within two seconds, if any, are 503.
        assert {type(result) for result in results} <= {Rows, Unavailable}
        assert isinstance(results[0], Rows)
    await holder.close()
