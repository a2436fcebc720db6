"""Creates of several workspaces share calls, and a workspace whose lock is held delays no other one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack

import pytest

from adapters.postgres import statements
from adapters.postgres.creates import PendingCreate
from adapters.postgres.database import Database, Row
from adapters.postgres.pools import REQUESTS, open_pools
from adapters.postgres.rows import to_uuid
from adapters.postgres.writer.batched import CALLS_MAX, GIVE_UP_SECONDS
from adapters.postgres.writer.cost import SHARED_COST_MAX, SHARED_ROW_COST_MAX
from adapters.postgres.writer.lane import ROWS_MAX
from adapters.postgres.writer.shared import Busy, SharedWriter
from domain.access import Workspace
from domain.documents import Document
from ports.outcomes import Created, CreateOutcome, IdempotencyKeyReused, OverQuota, PathTaken, Replayed, UploadIssued
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.records import Records, new_key
from tests.contracts.repositories import postgres_records
from tests.postgres.locks import locked
from tests.postgres.rig import Rig


async def test_workspaces_take_turns_so_a_full_queue_of_one_delays_no_other(shared_rig: Rig) -> None:
    homes = [await shared_rig.records.workspace() for _ in range(3)]
    flood = [shared_rig.create(f"{n}") for n in range(300)]
    others = [shared_rig.create(f"{home.id} {n}", home=home) for home in homes for n in range(2)]
    await asyncio.gather(*await shared_rig.send(*flood, *others))
    first = shared_rig.made[0]
    assert len(first) == ROWS_MAX
    assert {other.path.rpartition("/")[2] for other in others} <= {*first}
    assert [path for path in first if path.isdigit()] == [str(n) for n in range(ROWS_MAX - len(others))]


async def test_a_call_with_several_workspaces_costs_less_than_one_with_a_single_workspace(shared_rig: Rig) -> None:
    creates = [shared_rig.create(f"{n}", home=await shared_rig.records.workspace()) for n in range(9)]
    for create in creates:
        create.cost = SHARED_COST_MAX // 4
    await asyncio.gather(*await shared_rig.send(*creates))
    # The last one waits alone, and two expensive writes take the half of a shared call that is theirs.
    assert [len(call) for call in shared_rig.made] == [2, 2, 2, 2, 1]


async def test_a_create_for_which_a_call_has_no_room_is_the_first_one_of_the_next(shared_rig: Rig) -> None:
    flood = [shared_rig.create(f"{n}") for n in range(3 * ROWS_MAX)]
    for create in flood:
        create.cost = SHARED_COST_MAX // 200
    dear = shared_rig.create("dear", home=await shared_rig.records.workspace())
    dear.cost = SHARED_ROW_COST_MAX
    await asyncio.gather(*await shared_rig.send(*flood, dear))
    assert shared_rig.made[1][0] == "dear"


async def test_a_slow_call_keeps_the_next_one_back_only_for_a_moment_up_to_two_calls(shared_rig: Rig) -> None:
    async with AsyncExitStack() as held:
        for n in range(CALLS_MAX):
            # The second create of each workspace waits for the first one, whose call holds the workspace lock.
            home = await shared_rig.records.workspace()
            creates = [shared_rig.create(f"{name} {n}", home=home) for name in ("held", "waits")]
            await held.enter_async_context(shared_rig.held_call(creates[0]))
            [waiting] = await shared_rig.send(creates[1])
        [last] = await shared_rig.send(shared_rig.create("last"))
        await asyncio.sleep(0)
        assert [len(call) for call in shared_rig.made] == [1] * CALLS_MAX
    assert isinstance(await waiting, Created)
    assert isinstance(await last, Created)


class Counting(Database):
    """The connections of a server for writes. `calls` has the number of workspaces of each call that records documents
    or issues uploads."""

    def __init__(self, writes: Database) -> None:
        super().__init__(writes._pool, writes._patient)
        self.calls: list[int] = []

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        if sql in (statements.RECORD_DOCUMENTS, statements.ISSUE_UPLOADS):
            assert isinstance(arguments[0], list)
            self.calls.append(len(arguments[0]))
        return await super().fetch(sql, *arguments)


@pytest.fixture
async def counting(database_url: str) -> AsyncIterator[Counting]:
    async with open_pools(database_url) as pools:
        yield Counting(pools.writes)


@pytest.fixture
def records(counting: Counting) -> Records:
    return postgres_records(counting, StillClock())


@pytest.mark.parametrize("act", ["issue", "reserve", "patch", "add_api_key"])
async def test_writes_that_wait_for_a_lock_leave_connections_to_those_of_other_workspaces(
    records: Records, database_url: str, act: str
) -> None:
    homes, free = [await records.workspace() for _ in range(REQUESTS)], await records.workspace()
    documents = [await records.recorded(home) for home in homes]

    def write(home: Workspace, document: Document) -> Awaitable[object]:
        match act:
            case "issue":
                return records.issue(home, "new", 1)
            case "reserve":
                return records.reserve(home, "new", 1)
            case "patch":
                return records.patch(home, document.id, name="b")
            case _:
                return records.added(home)

    async with locked(database_url, *(home.id for home in homes)):
        waiting = [asyncio.ensure_future(write(*pair)) for pair in zip(homes, documents, strict=True)]
        await asyncio.sleep(0)
        document = records.document(free)
        assert await records.create(free, document) == Created(document)
        assert await records.issue(free, "new", 1) == UploadIssued()
        assert not any(task.done() for task in waiting)
    await asyncio.gather(*waiting)


async def test_one_call_decides_each_row_alone_and_by_the_account_of_its_own_workspace(
    records: Records, counting: Counting
) -> None:
    rich, poor, full = [await records.workspace(quota) for quota in (1000, 10, 5)]
    key, used = new_key(), new_key()
    twin, ours = records.document(poor, path="twin", size_bytes=1), records.document(rich, path="ours", size_bytes=0)
    assert await records.create(poor, twin, key) == Created(twin)
    assert await records.create(rich, ours, used) == Created(ours)
    made = [records.document(rich, path=f"{n}", size_bytes=300, folder=f"/a/{n}") for n in range(4)]
    fits, again = records.document(poor, path="fits", size_bytes=9), records.document(poor, path="again", size_bytes=0)
    taken, big = records.document(poor, path="twin", size_bytes=0), records.document(full, path="big", size_bytes=6)
    counting.calls.clear()
    outcomes = await asyncio.gather(
        *(records.create(rich, document) for document in made),
        records.create(poor, fits),
        records.create(poor, again, key),
        records.create(poor, taken),
        records.documents.create(records.document(rich, path="that", folder="/no"), records.intent(rich, used, "that")),
        records.documents.create(ours, records.intent(rich)),  # an earlier attempt
        records.create(full, big),
    )
    assert counting.calls == [3]
    assert outcomes == [
        *(Created(document) for document in made[:3]),
        OverQuota(limit_bytes=1000, used_bytes=900, requested_bytes=300),
        Created(fits),
        Replayed(twin),
        PathTaken(twin.id),
        IdempotencyKeyReused(),
        Created(ours),
        OverQuota(limit_bytes=5, used_bytes=0, requested_bytes=6),
    ]
    assert [(await records.documents.usage(home.id)).used_bytes for home in (rich, poor, full)] == [900, 10, 0]
    assert sorted(await records.folders(rich)) == ["/a", "/a/0", "/a/1", "/a/2"]
    in_order = "SELECT document_id FROM events WHERE workspace_id = $1 ORDER BY seq"
    events = await counting.fetch(in_order, to_uuid(rich.id))
    assert [event["document_id"] for event in events] == [to_uuid(item.id) for item in (ours, *made[:3])]


async def test_one_call_issues_uploads_by_the_account_of_each_workspace(records: Records, counting: Counting) -> None:
    rich, poor = [await records.workspace(quota) for quota in (1000, 5)]
    wanted = [(rich, 600), (poor, 6), (poor, 5), (rich, 500), (poor, 1), (rich, 400), (poor, 0)]
    outcomes = await asyncio.gather(*(records.issue(home, f"{n}", size) for n, (home, size) in enumerate(wanted)))
    assert counting.calls == [2]
    refused = [OverQuota(5, 0, 6), OverQuota(1000, 600, 500), OverQuota(5, 5, 1)]
    assert [outcome for outcome in outcomes if outcome != UploadIssued()] == refused
    assert [(await records.documents.usage(home.id)).reserved_bytes for home in (rich, poor)] == [1000, 5]


async def test_workspaces_whose_locks_are_held_delay_no_other(records: Records, database_url: str) -> None:
    homes = [await records.workspace() for _ in range(12)]
    free = await records.workspace()

    def create(home: Workspace, n: int) -> "asyncio.Task[object]":
        return asyncio.create_task(records.create(home, records.document(home, path=f"{n}")))

    async with locked(database_url, *(home.id for home in homes)):
        held = [create(home, 0) for home in homes]
        for n in range(5):
            assert isinstance(await create(free, n), Created)
            held += [create(home, n + 1) for home in homes]
        assert not any(task.done() for task in held)
    assert all(isinstance(outcome, Created) for outcome in await asyncio.gather(*held))
    assert [(await records.documents.usage(home.id)).documents for home in homes] == [6] * 12


async def test_a_write_of_a_locked_workspace_is_given_up_at_its_first_deadline(shared_rig: Rig) -> None:
    calls = []

    async def call(writes: Sequence[PendingCreate], *, waits: bool) -> Sequence[CreateOutcome | Busy]:
        calls.append(waits)
        shared_rig.seconds += GIVE_UP_SECONDS
        return [Busy() for _ in writes]

    writer = SharedWriter[PendingCreate, CreateOutcome](call, now=lambda: shared_rig.seconds)
    with pytest.raises(Unavailable, match="not written in time"):
        await writer.send(lambda: shared_rig.create("a"))
    assert calls == [False]


async def test_an_expensive_create_goes_in_a_call_of_its_own_workspace(records: Records, counting: Counting) -> None:
    homes = [await records.workspace() for _ in range(2)]
    long = "\N{HIRAGANA LETTER A}" * (SHARED_COST_MAX // 10)
    documents = [
        records.document(home, path="a", description=text) for home, text in zip(homes, (long, "short"), strict=True)
    ]
    outcomes = await asyncio.gather(*map(records.create, homes, documents))
    assert outcomes == [Created(document) for document in documents]
    assert counting.calls == [1, 1]
