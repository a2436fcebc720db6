"""The count of changes, by which a deployment knows that its generation must be replaced."""

import asyncpg

from adapters.postgres.database import Database
from adapters.postgres.rows import to_uuid
from tests.contracts.records import Records

CHANGE = "UPDATE usage SET next_seq = next_seq + 1 WHERE workspace_id = $1"
READ_ROWS = """
SELECT seq_tup_read + idx_tup_fetch AS rows FROM pg_stat_xact_user_tables WHERE relid = 'usage'::regclass
"""


async def test_a_change_is_counted_when_it_is_made_and_settled_once_others_see_it(
    records: Records, database: Database, database_url: str
) -> None:
    home = to_uuid((await records.workspace()).id)
    before = await records.deployments.read()
    connection = await asyncpg.connect(database_url)
    try:
        for ended in ("ROLLBACK", "COMMIT"):
            await connection.execute("BEGIN")
            await connection.execute(CHANGE, home)
            during = await records.deployments.read()
            await connection.execute(ended)
            after = await records.deployments.read()
            assert during.changes == after.changes == before.changes + 1
            assert (during.is_settled, after.is_settled) == (False, True)
            before = after
    finally:
        await connection.close()


async def test_changes_are_counted_without_reading_the_workspaces(records: Records, database_url: str) -> None:
    await records.recorded(await records.workspace())
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            assert await connection.fetchval("SELECT changes FROM recorded_changes()") > 0
            assert await connection.fetchval(READ_ROWS) == 0
    finally:
        await connection.close()
