"""The writer: the creates that share a call, its retries, and the outcome of each request."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from adapters.postgres.database import LOCK_SECONDS, STATEMENT_SECONDS, NotBegun
from adapters.postgres.documents import PendingCreate
from adapters.postgres.writer.batched import BatchedWriter
from adapters.postgres.writer.cost import COST_MAX
from adapters.postgres.writer.lane import COST_SHARE, LANE_MAX, ROWS_MAX
from domain.access import Workspace
from domain.ids import WorkspaceId
from ports.outcomes import Created, CreateOutcome, IdempotencyKeyReused, PathTaken, Replayed
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.records import Records, new_key
from tests.contracts.repositories import memory_records

CRASH = Unavailable("this row makes the server crash")
CALL_SECONDS = 0.05

Fault = Callable[[Sequence[PendingCreate]], Awaitable[None]]


class Rig:
    """A writer, and a database that answers its calls as the memory adapter does. Only pauses and faults take time."""

    def __init__(self, records: Records, home: Workspace) -> None:
        self.records = records
        self.home = home
        self.writer: BatchedWriter[PendingCreate, CreateOutcome] = BatchedWriter(
            self.call, self._pause, now=lambda: self.seconds
        )
        self.seconds = 0.0
        self.faults: list[Fault] = []
        """The faults of the next calls, one each."""
        self.every: Fault | None = None
        """The fault of all calls."""
        self.made: list[list[str]] = []
        """The paths of each call."""
        self.pauses: list[float] = []

    async def call(self, workspace: WorkspaceId, creates: Sequence[PendingCreate]) -> Sequence[CreateOutcome]:
        assert {create.document.workspace_id for create in creates} == {workspace}
        self.made.append([create.document.storage_path.rpartition("/")[2] for create in creates])
        if self.every:
            await self.every(creates)
        if self.faults:
            await self.faults.pop(0)(creates)
        return [await self._create(create) for create in creates]

    async def _create(self, create: PendingCreate) -> CreateOutcome:
        assert create.intent is not None
        return await self.records.documents.create(create.document, create.intent)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)

    def create(
        self, path: str, key: str | None = None, asks: str = "this", size_bytes: int = 1, home: Workspace | None = None
    ) -> PendingCreate:
        home = home or self.home
        document = self.records.document(home, path=path, size_bytes=size_bytes)
        return PendingCreate.of(document, self.records.intent(home, key, asks), b"{}")

    async def send(self, *creates: PendingCreate) -> "list[asyncio.Task[CreateOutcome]]":
        """Send creates, and return once all of them wait."""
        tasks = [asyncio.create_task(self.writer.send(create)) for create in creates]
        await asyncio.sleep(0)
        return tasks

    @asynccontextmanager
    async def held_call(
        self, *creates: PendingCreate, then: Fault | None = None
    ) -> "AsyncIterator[list[asyncio.Task[CreateOutcome]]]":
        """Send creates, by default one at "held", and hold their call during the block. `then` is its fault."""
        held, go_on = asyncio.Event(), asyncio.Event()

        async def hold(call: Sequence[PendingCreate]) -> None:
            held.set()
            await go_on.wait()
            if then:
                await then(call)

        self.faults.append(hold)
        tasks = await self.send(*(creates or [self.create("held")]))
        await held.wait()
        yield tasks
        go_on.set()
        await asyncio.wait(tasks)


async def cut(_: Sequence[PendingCreate]) -> None:
    raise Unavailable("the connection was cut")


async def refuse(_: Sequence[PendingCreate]) -> None:
    raise NotBegun("connection refused")


def fails_with(path: str, error: Exception) -> Fault:
    """Return a fault of every call that carries the path."""

    async def fault(creates: Sequence[PendingCreate]) -> None:
        if any(create.document.storage_path.endswith(path) for create in creates):
            raise error

    return fault


@pytest.fixture
async def rig() -> Rig:
    records = memory_records(StillClock())
    return Rig(records, await records.workspace())


async def test_creates_that_arrive_during_a_call_share_the_next_one_and_delay_no_other_workspace(rig: Rig) -> None:
    async with rig.held_call():
        waiting = await rig.send(*(rig.create(f"{n}") for n in range(5)))
        other = rig.create("other", home=await rig.records.workspace())
        assert await rig.writer.send(other) == Created(other.document)
        assert not any(task.done() for task in waiting)
    assert all(isinstance(outcome, Created) for outcome in await asyncio.gather(*waiting))
    assert rig.made == [["held"], ["other"], ["0", "1", "2", "3", "4"]]


async def test_a_call_carries_at_most_128_rows_and_100_ms_of_cost_but_at_least_one_row(rig: Rig) -> None:
    creates = [rig.create(f"{n}") for n in range(300)]
    for create, cost in zip(creates, (2 * COST_MAX, COST_MAX // 2, 1), strict=False):
        create.cost = cost
    await asyncio.gather(*await rig.send(*creates))
    assert [len(call) for call in rig.made] == [1, 128, 128, 43]


async def test_cheap_creates_overtake_expensive_ones_which_fill_only_half_of_a_call(rig: Rig) -> None:
    expensive, cheap = [rig.create(f"{n}") for n in range(8)], [rig.create(f"cheap {n}") for n in range(50)]
    for create in expensive:
        create.cost = COST_MAX // 4
    for create in cheap:
        create.cost = COST_SHARE
    await asyncio.gather(*await rig.send(*expensive, *cheap))
    assert rig.made[0] == ["0", "1", *(f"cheap {n}" for n in range(50))]
    assert rig.made[1:] == [["2", "3"], ["4", "5"], ["6", "7"]]


async def test_creates_with_one_path_or_one_idempotency_key_go_in_separate_calls_in_their_order(rig: Rig) -> None:
    key = new_key()
    creates = [rig.create("a", key), rig.create("b", key, asks="that"), rig.create("a"), rig.create("c")]
    assert await asyncio.gather(*await rig.send(*creates)) == [
        Created(creates[0].document),
        IdempotencyKeyReused(),
        PathTaken(creates[0].document.id),
        Created(creates[3].document),
    ]
    assert rig.made == [["a", "c"], ["b", "a"]]


async def test_twins_share_one_row_and_get_its_document_although_the_first_request_was_cancelled(rig: Rig) -> None:
    key = new_key()
    twins = [rig.create("a", key) for _ in range(4)]
    async with rig.held_call(*twins[:2], rig.create("b")) as tasks:
        tasks += await rig.send(*twins[2:])
        tasks[0].cancel()
    replay = Replayed(twins[0].document)
    _, first_twin, other, *later_twins = await asyncio.gather(*tasks, return_exceptions=True)
    assert [first_twin, *later_twins] == [replay] * 3
    assert isinstance(other, Created)
    assert rig.made == [["a", "b"]]
    assert (await rig.records.documents.usage(rig.home.id)).documents == 2


async def test_a_create_that_was_cancelled_before_its_call_is_not_sent_but_its_later_twin_is(rig: Rig) -> None:
    key = new_key()
    create, twins = rig.create("b", key), []

    async def send_twin(_: Sequence[PendingCreate]) -> None:
        twins.extend(await rig.send(create))

    async with rig.held_call():
        cancelled, _ = await rig.send(rig.create("b", key), rig.create("c"))
        cancelled.cancel()
        await asyncio.sleep(0)
        # The lane drops the cancelled create before the call of "c", during which the twin arrives.
        rig.faults = [send_twin]
    await rig.writer.aclose()
    assert await twins[0] == Created(create.document)
    assert rig.made == [["held"], ["c"], ["b"]]


async def test_a_full_lane_is_unavailable_and_affects_no_other_workspace_and_cancelled_creates_leave_it(
    rig: Rig,
) -> None:
    async with rig.held_call():
        waiting = await rig.send(*(rig.create(f"{n}") for n in range(LANE_MAX)))
        with pytest.raises(Unavailable, match="wait already"):
            await rig.writer.send(rig.create("one too many"))
        other = rig.create("other", home=await rig.records.workspace())
        assert await rig.writer.send(other) == Created(other.document)
        for task in waiting:
            task.cancel()
        await asyncio.sleep(0)
        create = rig.create("now there is room")
        [last] = await rig.send(create)
    assert await last == Created(create.document)


async def test_closing_settles_earlier_creates_and_refuses_later_ones(rig: Rig) -> None:
    async with rig.held_call() as accepted:
        accepted += await rig.send(rig.create("b"))
        closing = asyncio.create_task(rig.writer.aclose())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="closed"):
            await rig.writer.send(rig.create("too late"))
        assert not closing.done()
    await closing
    assert all(task.done() for task in accepted)
    assert rig.made == [["held"], ["b"]]


async def test_a_create_that_always_fails_soon_goes_alone_and_delays_no_other(rig: Rig) -> None:
    rig.every = fails_with("bad", CRASH)
    creates = [rig.create(path) for path in ("a", "bad", "c")]
    first, bad, last = await rig.send(*creates)
    assert await first == Created(creates[0].document)
    assert await last == Created(creates[2].document)
    assert rig.made[:4] == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    for path in ("later", "latest"):
        create = rig.create(path)
        assert await rig.writer.send(create) == Created(create.document)
    assert not bad.done()
    assert [call for call in rig.made[4:] if call != ["bad"]] == [["later"], ["latest"]]
    bad.cancel()


STALLS = {
    "hangs": (STATEMENT_SECONDS, Unavailable),
    "is locked": (LOCK_SECONDS, NotBegun),
    "refuses": (0.0, NotBegun),
    "breaks": (0.0, Unavailable),
}
"""What the database does during a stall: when a call is given up, and with which error."""


@pytest.mark.parametrize("seconds", range(1, 7))
@pytest.mark.parametrize("stall", STALLS)
async def test_after_a_stall_1000_waiting_creates_are_recorded_in_at_most_twice_the_usual_calls(
    rig: Rig, stall: str, seconds: int
) -> None:
    patience, error = STALLS[stall]
    took_time = 0

    async def fault(_: Sequence[PendingCreate]) -> None:
        nonlocal took_time
        left = max(0.0, seconds - rig.seconds)
        given_up = left > 0 and left >= patience
        took_time += not given_up or patience > 0
        rig.seconds += patience if given_up else left + CALL_SECONDS
        if given_up:
            raise error(stall)

    rig.every = fault
    outcomes = await asyncio.gather(*await rig.send(*(rig.create(f"{n}") for n in range(1000))))
    assert all(isinstance(outcome, Created) for outcome in outcomes)
    assert took_time <= 2 * math.ceil(1000 / ROWS_MAX)


@pytest.mark.parametrize("error", [CRASH, ValueError("no such text")], ids=["crashes", "is refused"])
async def test_of_1000_creates_the_one_that_always_fails_goes_alone_after_calls_that_halve_behind_the_others(
    rig: Rig, error: Exception
) -> None:
    rig.every = fails_with("/bad", error)
    tasks = await rig.send(*(rig.create("bad" if n == 450 else f"{n}") for n in range(1000)))
    bad = tasks.pop(450)
    assert all(isinstance(outcome, Created) for outcome in await asyncio.gather(*tasks))
    with pytest.raises(type(error)):
        await bad
    assert [len(call) for call in rig.made if "bad" in call][:8] == [128, 64, 32, 16, 8, 4, 2, 1]
    numbers = [{int(path) for path in call if path != "bad"} for call in rig.made if call != ["bad"]]
    suspects, fresh = (
        [n for n, call in enumerate(numbers[4:]) if call & {*some}] for some in (range(384, 512), range(512, 1000))
    )
    assert fresh[-1] < suspects[0]
    # The usual eight calls, one or two smaller ones, and two for each of the seven halves, without the bad one alone.
    assert len(numbers) <= 8 + 2 + 2 * 7 - 1


async def test_creates_are_recorded_although_the_database_answers_only_small_calls_in_time(rig: Rig) -> None:
    async def is_slow(creates: Sequence[PendingCreate]) -> None:
        rig.seconds += 0.01 * len(creates)
        if len(creates) > 20:
            raise Unavailable("no answer")

    rig.every = is_slow
    outcomes = await asyncio.gather(*await rig.send(*(rig.create(f"{n}") for n in range(200))))
    assert all(isinstance(outcome, Created) for outcome in outcomes)


async def test_a_suspect_that_gets_no_connection_remains_one(rig: Rig) -> None:
    rig.faults = [cut, refuse, refuse]
    outcomes = await asyncio.gather(*await rig.send(*(rig.create(f"{n}") for n in range(4))))
    assert all(isinstance(outcome, Created) for outcome in outcomes)
    assert [len(call) for call in rig.made] == [4, 2, 2, 2, 2]


async def test_a_twin_of_a_settled_create_does_not_wait_for_the_retries_of_the_rest_of_its_batch(rig: Rig) -> None:
    key = new_key()
    rig.every = fails_with("bad", CRASH)
    good = rig.create("good", key)
    bad, first = await rig.send(rig.create("bad"), good)
    assert await first == Created(good.document)
    assert not bad.done()
    [twin] = await rig.send(rig.create("good", key))
    rig.every = None
    assert await twin == Replayed(good.document)
    await bad


async def test_a_twin_of_a_create_that_the_database_never_accepts_is_sent_itself(rig: Rig) -> None:
    key = new_key()
    create, twins = rig.create("bad", key), []

    async def send_twin(_: Sequence[PendingCreate]) -> None:
        rig.every = None
        twins.extend(await rig.send(create))

    # The twin arrives during the call of "other", after the bad create has failed alone.
    rig.every, rig.faults = fails_with("bad", ValueError("no such text")), [send_twin]
    bad, other = await rig.send(rig.create("bad", key), rig.create("other"))
    with pytest.raises(ValueError, match="no such text"):
        await bad
    await other
    assert await twins[0] == Created(create.document)


async def test_creates_without_waiting_requests_are_neither_retried_nor_isolated(rig: Rig) -> None:
    rig.faults = [cut, cut]
    async with rig.held_call(*(rig.create(f"{n}") for n in range(100)), then=cut) as tasks:
        for task in tasks:
            task.cancel()
    await rig.writer.aclose()
    # The third call is held.
    assert [len(call) for call in rig.made] == [100, 50, 50]


async def test_a_workspace_works_again_after_its_call_was_cancelled_from_within(rig: Rig) -> None:
    async def cancelled(_: Sequence[PendingCreate]) -> None:
        raise asyncio.CancelledError

    rig.faults = [cancelled]
    with pytest.raises(Unavailable, match="stopped"):
        await rig.writer.send(rig.create("a"))
    create = rig.create("a")
    assert await rig.writer.send(create) == Created(create.document)


async def test_the_first_failure_is_retried_at_once_and_the_pauses_before_the_next_grow_to_half_a_second(
    rig: Rig,
) -> None:
    async def succeed(_: Sequence[PendingCreate]) -> None:
        pass

    rig.faults = [*[cut] * 8, succeed, cut]
    # Two creates with one path go in separate calls of one lane. A success makes the next failure the first again.
    await asyncio.gather(*await rig.send(rig.create("a"), rig.create("a")))
    assert rig.pauses == [0.05, 0.1, 0.2, 0.4, 0.5, 0.5, 0.5]


async def test_a_create_that_fails_for_too_long_is_unavailable_and_the_next_one_is_recorded(rig: Rig) -> None:
    rig.every = cut
    with pytest.raises(Unavailable, match=r"not written in time, after 1[0-9] failures"):
        await rig.writer.send(rig.create("a"))
    rig.every = None
    create = rig.create("a")
    assert await rig.writer.send(create) == Created(create.document)
