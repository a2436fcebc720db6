"""The lists and look-ups of workspaces on a few connections. The test decides how long they take."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest

from adapters.postgres.database import POOL_SIZE, Database, Row, open_database
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.kept import ENTRY_BYTES
from adapters.postgres.reads import ALIKE, EACH, LISTS, LOOK_UP_ROWS, LOOK_UP_SHARE, LOOK_UPS, Reads
from adapters.postgres.rows import to_uuid
from domain.paths import FolderPath
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.records import HASHING_KEY, new_key
from tests.contracts.repositories import postgres_records

# A statement sees what was committed when it began, however long it waits for the lock.
SLOW = "SELECT count(*), pg_advisory_xact_lock_shared(4713), $2::int FROM workspaces WHERE id = $1"
FAST = "SELECT $1::uuid AS workspace"
SLOW_LOOK_UP = "SELECT asked, pg_advisory_xact_lock_shared(4713) FROM unnest($1::uuid[]) AS asked"
OTHER_SLOW_LOOK_UP = f"{SLOW_LOOK_UP} -- of another kind"
FAST_LOOK_UP = "SELECT asked FROM unnest($1::uuid[]) AS asked"
_WAITING = "FROM pg_locks WHERE locktype = 'advisory' AND objid = 4713 AND NOT granted"


class Holder:
    """The session of the test that holds the lock."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.connection = connection

    @asynccontextmanager
    async def holds(self) -> AsyncIterator[None]:
        """Let the statement SLOW wait until the `with` block ends."""
        async with self.connection.transaction():
            await self.connection.execute("SELECT pg_advisory_xact_lock(4713)")
            yield

    async def waiting(self) -> int:
        return int(await self.connection.fetchval(f"SELECT count(*) {_WAITING}"))

    async def pids(self) -> list[int]:
        """Return the sessions that wait for the lock."""
        return [row["pid"] for row in await self.connection.fetch(f"SELECT pid {_WAITING}")]

    async def until_waiting(self, count: int) -> None:
        async with asyncio.timeout(30):
            while await self.waiting() < count:  # noqa: ASYNC110  Postgres sends no event
                await asyncio.sleep(0.01)


@pytest.fixture
async def holder(database_url: str) -> AsyncIterator[Holder]:
    connection = await asyncpg.connect(database_url)
    yield Holder(connection)
    await connection.close()


@pytest.fixture
async def database(database_url: str, unhurried: None) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        yield database


@pytest.fixture
def reads(database: Database) -> Reads:
    return Reads(database)


async def test_lists_leave_turns_to_others_and_connections_to_writes(
    reads: Reads, database: Database, holder: Holder
) -> None:
    many, other, third = uuid4(), uuid4(), uuid4()
    async with holder.holds():
        lists = [asyncio.create_task(reads.list(SLOW, many, number)) for number in range(50)]
        await holder.until_waiting(EACH)
        assert await reads.list(FAST, other) == [(other,)]
        lists.append(asyncio.create_task(reads.list(SLOW, other, 0)))
        await holder.until_waiting(LISTS)
        lists.append(asyncio.create_task(reads.list(FAST, third)))
        for workspace in (many, other, third):
            assert await reads.look_up(FAST_LOOK_UP, workspace) == (workspace,)
        look_ups = []
        running = [1, ALIKE, ALIKE, ALIKE + 1, LOOK_UPS]
        for sql, calls in zip([SLOW_LOOK_UP] * 3 + [OTHER_SLOW_LOOK_UP] * 2, running, strict=True):
            look_ups += [asyncio.create_task(reads.look_up(sql, workspace)) for workspace in (many, third)]
            await holder.until_waiting(LISTS + calls)
        assert await database.fetch(FAST, many) == [(many,)]
        assert await holder.waiting() == LISTS + LOOK_UPS < POOL_SIZE
        assert not lists[-1].done()
    await asyncio.wait([*lists, *look_ups])
    assert lists[-1].result() == [(third,)]


async def test_look_ups_of_many_workspaces_share_calls_which_are_repeated_if_their_connection_breaks(
    database: Database, holder: Holder
) -> None:
    counting = CountingCalls(database)
    reads, workspaces = Reads(counting), [uuid4() for _ in range(LOOK_UP_ROWS + 1)]
    async with holder.holds():
        lone = asyncio.create_task(reads.look_up(SLOW_LOOK_UP, workspaces[0]))
        await holder.until_waiting(1)
        first = await holder.pids()
        await holder.connection.fetch("SELECT pg_terminate_backend($1)", *first)
        async with asyncio.timeout(30):
            while await holder.pids() in ([], first):  # noqa: ASYNC110  Postgres sends no event
                await asyncio.sleep(0.01)
    assert (await lone or [])[0] == workspaces[0]
    assert counting.calls == 2
    rows = await asyncio.gather(*(reads.look_up(FAST_LOOK_UP, workspace) for workspace in workspaces))
    assert [row[0] for row in rows if row] == workspaces
    assert counting.calls == 4


async def test_a_workspace_has_only_a_share_of_a_call_with_look_ups_of_another(database: Database) -> None:
    sql = "SELECT asked.* FROM unnest($1::uuid[], $2::int[]) AS asked"
    counting, many, other = CountingCalls(database), uuid4(), uuid4()
    reads, numbers = Reads(counting), range(LOOK_UP_SHARE + 1)
    await asyncio.gather(*(reads.look_up(sql, many, number) for number in numbers))
    assert counting.calls == 1
    await asyncio.gather(*(reads.look_up(sql, many, number) for number in numbers), reads.look_up(sql, other, 0))
    assert counting.calls == 3


async def test_reads_whose_call_does_not_begin_in_time_are_refused_while_earlier_ones_hang(
    database: Database, holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.postgres.reads.ACQUIRE_SECONDS", 0)
    # Otherwise a second call begins beside the first one, which is slow.
    monkeypatch.setattr("adapters.batching.shared_calls.SLOW_SECONDS", 60)
    reads, workspace = Reads(database), uuid4()
    async with holder.holds():
        look_up = asyncio.create_task(reads.look_up(SLOW_LOOK_UP, workspace))
        listed = asyncio.create_task(reads.list(SLOW, workspace, 0))
        await holder.until_waiting(2)
        with pytest.raises(Unavailable, match="earlier calls"):
            await reads.look_up(SLOW_LOOK_UP, workspace)
        with pytest.raises(Unavailable, match="earlier calls"):
            await reads.list(SLOW, workspace, 0)
    assert (await look_up or [])[0] == workspace
    assert len(await listed) == 1


@pytest.mark.parametrize("timed_by", ["client", "server"])
async def test_a_read_that_takes_too_long_is_not_repeated(
    database_url: str, monkeypatch: pytest.MonkeyPatch, timed_by: str
) -> None:
    async with open_database(database_url) as database:
        counting = CountingCalls(database)
        if timed_by == "client":
            monkeypatch.setattr("adapters.postgres.database.STATEMENT_SECONDS", 0.05)
        else:
            await database.fetch("SET statement_timeout = 50")
        with pytest.raises(Unavailable):
            await counting.read("SELECT pg_sleep(30)")
    assert counting.calls == 1


async def test_equal_lists_that_wait_share_one_later_call(reads: Reads, holder: Holder, database: Database) -> None:
    workspace = uuid4()

    def ask() -> "asyncio.Task[Sequence[Row]]":
        return asyncio.create_task(reads.list(SLOW, workspace, 0))

    async with holder.holds():
        first = ask()
        await holder.until_waiting(1)
        cancelled = ask()
        await add_workspace(database, workspace)
        later = [ask() for _ in range(20)]
        await asyncio.sleep(0)
        cancelled.cancel()
        assert await holder.waiting() == 1
    assert (await first)[0]["count"] == 0
    (row,) = shared = await later[0]
    assert row["count"] == 1
    assert all(rows is shared for rows in await asyncio.gather(*later))


async def test_callers_that_share_a_failed_call_get_its_error_and_the_next_call_is_a_new_one(reads: Reads) -> None:
    sql, workspace = "SELECT 1 / $2::int FROM (SELECT $1::uuid) AS asked", uuid4()
    results = await asyncio.gather(*(reads.list(sql, workspace, 0) for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [asyncpg.DivisionByZeroError] * 5
    assert len(await reads.list(sql, workspace, 1)) == 1
    assert reads._lists._lanes == {}


class CountingCalls(Database):
    """The connections of another database object, which counts its statements."""

    def __init__(self, database: Database) -> None:
        super().__init__(database._pool, database._patient)
        self.calls = 0

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        self.calls += 1
        return await super().fetch(sql, *arguments)


class Counting(Reads):
    """Reads that note how many lists had to be read."""

    lists = 0

    async def list(self, sql: str, workspace: UUID, *arguments: object) -> Sequence[Row]:
        rows = await super().list(sql, workspace, *arguments)
        self.lists += len(rows)
        return rows


async def test_tags_and_folders_are_counted_again_after_each_change_of_the_workspace_and_only_then(
    database: Database,
) -> None:
    counting, clock = Counting(database), StillClock()
    documents = PostgresDocuments(database, counting, clock, HASHING_KEY)
    records, fresh = postgres_records(database, clock, documents), postgres_records(database, clock)
    home, other = await records.workspace(), await records.workspace()

    async def counted() -> int:
        """Return how many of two lists were read anew. Both must equal the lists of a process that keeps no counts."""
        counting.lists = 0
        tags, folders = await records.tags(home), await records.children(home, "/a")
        lists, counting.lists = counting.lists, 0
        assert (tags, folders) == (await fresh.tags(home), await fresh.children(home, "/a"))
        return lists

    assert await counted() == 2
    document = await records.recorded(home, folder="/a/b", tags=("x",))
    changes: list[Callable[[], Awaitable[object]]] = [
        lambda: records.recorded(home, path=new_key(), folder="/a/c"),
        lambda: records.patch(home, document.id, tags=("y",), folder=FolderPath("/a/d")),
        lambda: records.move(home, "/a/d", "/a/e"),
        lambda: records.delete(home, document.id),
        lambda: records.delete_folder(home, "/a/e"),
        lambda: records.ledger.delete_empty_folders(home.id),
    ]
    for change in changes:
        assert await counted() == 2
        await records.recorded(other, path=new_key(), folder="/a/b")
        assert await counted() == 0
        await change()
    assert await counted() == 2
    assert await records.children(home, "/a") == {"/a/c": 1}


async def test_a_count_of_an_unchanged_workspace_runs_nothing(database: Database, holder: Holder) -> None:
    sql = "SELECT 7 AS total, '[]' AS rows FROM pg_advisory_xact_lock_shared($2)"
    reads, home = Reads(database), (await postgres_records(database, StillClock()).workspace()).id
    # After five runs, Postgres may use another plan.
    for _ in range(10):
        await reads.count(sql, to_uuid(home), 4713)
    async with holder.holds():
        for _ in range(10):
            assert (await reads.count(sql, to_uuid(home), 4713) or {})["total"] == 7


async def test_kept_counts_are_bounded_by_their_bytes(database: Database) -> None:
    sql = "SELECT 7 AS total, repeat($2, 10) AS rows FROM (SELECT $1::uuid) AS asked"
    reads = Counting(database, kept_bytes=2 * (ENTRY_BYTES + len(sql) + len("a") + 10) + 5)
    home = to_uuid((await postgres_records(database, StillClock()).workspace()).id)
    for text in "abab" + "cb" + "a":
        row = await reads.count(sql, home, text)
        assert row is not None
        assert row["rows"] == text * 10
    assert reads.lists == 4, "a, b, c, and a again, which was dropped for c"


async def add_workspace(database: Database, workspace: UUID) -> None:
    await database.fetch(
        "INSERT INTO workspaces (id, name, owner_id, plan, created_at) VALUES ($1, 'a', $1, 'org', now())", workspace
    )
