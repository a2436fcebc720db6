"""Events, which no port reads: which of them are deleted, and the key by which their table can be partitioned."""

from datetime import timedelta

import pytest

from adapters.postgres.database import Database
from adapters.postgres.rows import to_uuid
from domain.access import Workspace
from tests.clock import StillClock
from tests.contracts.records import Records
from tests.contracts.repositories import postgres_records

DAY = timedelta(days=1)


@pytest.fixture
def records(own_database: Database) -> Records:
    return postgres_records(own_database, StillClock())


async def numbers(database: Database, home: Workspace) -> list[int]:
    rows = await database.fetch("SELECT seq FROM events WHERE workspace_id = $1 ORDER BY seq", to_uuid(home.id))
    return [row["seq"] for row in rows]


async def test_old_events_are_deleted_in_batches_and_the_newest_stay_without_a_gap(
    own_database: Database, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.postgres.retention.PAGE", 3)
    busy, lone, new, empty = [await records.workspace(quota_bytes=10**6) for _ in range(4)]
    for _ in range(8):
        await records.recorded(busy)
    await records.recorded(lone)
    # An event whose server had a clock two days ahead is deleted with those around it.
    await own_database.fetch(
        "UPDATE events SET at = at + interval '2 days' WHERE workspace_id = $1 AND seq = 5", to_uuid(busy.id)
    )
    records.clock.advance(days=1)
    for home in (busy, busy, new):
        await records.recorded(home)
    assert await records.retention.delete_events(records.clock() - DAY) == 0
    assert await records.retention.delete_events(records.clock()) == 9
    assert [await numbers(own_database, home) for home in (busy, lone, new, empty)] == [[9, 10], [], [1], []]
    # The numbers go on.
    await records.recorded(lone)
    assert await numbers(own_database, lone) == [2]


async def test_events_become_partitioned_by_time_without_being_rewritten(
    own_database: Database, records: Records
) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    size = "SELECT pg_relation_filenode(to_regclass($1)) AS rows, pg_relation_filenode(to_regclass($2)) AS key"
    before = await own_database.fetch(size, "events", "events_pkey")
    for statement in (
        "ALTER TABLE events RENAME TO events_before",
        "ALTER INDEX events_pkey RENAME TO events_before_pkey",
        "CREATE TABLE events (LIKE events_before, PRIMARY KEY (workspace_id, seq, at)) PARTITION BY RANGE (at)",
        "ALTER TABLE events ATTACH PARTITION events_before FOR VALUES FROM (MINVALUE) TO ('2100-01-01')",
        "CREATE TABLE events_after PARTITION OF events FOR VALUES FROM ('2100-01-01') TO (MAXVALUE)",
    ):
        await own_database.fetch(statement)
    assert await own_database.fetch(size, "events_before", "events_before_pkey") == before
    records.clock.advance(days=40_000)
    await records.patch(home, document.id, name="b.pdf")
    assert await numbers(own_database, home) == [1, 2]
    assert await records.retention.delete_events(records.clock()) == 1
