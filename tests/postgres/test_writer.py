"""The writer: the creates that share a call, its retries, and the outcome of each request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from adapters.postgres.documents import PendingCreate
from adapters.postgres.writer.batched import BatchedWriter
from adapters.postgres.writer.lane import LANE_MAX
from domain.access import Workspace
from domain.ids import WorkspaceId
from ports.outcomes import Created, CreateOutcome, IdempotencyKeyReused, PathTaken, Replayed
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.records import Records, new_key
from tests.contracts.repositories import memory_records

CRASH = Unavailable("this row makes the server crash")

Fault = Callable[[Sequence[PendingCreate]], Awaitable[None]]


class Rig:
    """A writer, and a database that answers its calls as the memory adapter does. It records pauses."""

    def __init__(self, records: Records, home: Workspace) -> None:
        self.records = records
        self.home = home
        self.writer: BatchedWriter[PendingCreate, CreateOutcome] = BatchedWriter(self.call, self._pause)
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


async def test_a_call_carries_at_most_128_rows_and_one_mebibyte_but_at_least_one_row(rig: Rig) -> None:
    creates = [rig.create(f"{n}", size_bytes=0) for n in range(300)]
    for create, size in zip(creates, (2**21, 2**19, 2**19, 1), strict=False):
        create.record = bytes(size)
    await asyncio.gather(*await rig.send(*creates))
    assert [len(call) for call in rig.made] == [1, 2, 128, 128, 41]


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


async def test_after_two_failures_each_create_goes_alone_and_the_bad_one_delays_no_other(rig: Rig) -> None:
    rig.every = fails_with("bad", CRASH)
    creates = [rig.create(path) for path in ("a", "bad", "c")]
    first, bad, last = await rig.send(*creates)
    assert await first == Created(creates[0].document)
    assert await last == Created(creates[2].document)
    assert rig.made[:5] == [["a", "bad", "c"], ["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    for path in ("later", "latest"):
        create = rig.create(path)
        assert await rig.writer.send(create) == Created(create.document)
    assert not bad.done()
    assert [call for call in rig.made[5:] if call != ["bad"]] == [["later"], ["latest"]]
    bad.cancel()


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
    # The third call is held. It contains one create, because it follows two failures.
    assert [len(call) for call in rig.made] == [100, 100, 1]


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
    rig.writer = BatchedWriter(rig.call, give_up_seconds=0.1)
    rig.every = cut
    with pytest.raises(Unavailable, match=r"not written in time, after [1-9] failures"):
        await rig.writer.send(rig.create("a"))
    rig.every = None
    create = rig.create("a")
    assert await rig.writer.send(create) == Created(create.document)
