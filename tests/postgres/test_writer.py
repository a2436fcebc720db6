"""The writer alone, on calls that a test answers, delays and lets fail: what it gathers, what it does with failures.

Nothing here sleeps: a test holds a call back with a gate, and pauses between tries are noted instead of waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from adapters.memory.documents import MemoryDocuments
from adapters.memory.keys import MemoryApiKeys
from adapters.memory.workspaces import MemoryWorkspaces
from adapters.postgres import writer
from adapters.postgres.writer import BatchedWriter, Pending
from domain.access import Workspace
from domain.ids import WorkspaceId
from ports.documents import Created, KeyReused, Outcome, PathTaken, Replayed
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.conftest import Records

Fault = Callable[[Sequence[Pending]], Awaitable[None]]


@dataclass
class Calls:
    """A database that notes each call and answers as the memory adapter does."""

    records: Records
    before: list[Fault] = field(default_factory=list)
    """What happens to the next calls before they are answered, one each."""
    after: list[Fault] = field(default_factory=list)
    """What happens to the next answers on their way."""
    every: Fault | None = None
    made: list[list[str]] = field(default_factory=list)
    """The paths of each call."""
    under_way: int = 0
    most_at_once: int = 0

    async def __call__(self, workspace: WorkspaceId, creates: Sequence[Pending]) -> Sequence[Outcome]:
        assert {create.document.workspace_id for create in creates} == {workspace}
        self.made.append([create.document.storage_path.rpartition("/")[2] for create in creates])
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            if self.every:
                await self.every(creates)
            if self.before:
                await self.before.pop(0)(creates)
            outcomes = [await self.records.documents.create(create.document, create.intent) for create in creates]
            if self.after:
                await self.after.pop(0)(creates)
            return outcomes
        finally:
            self.under_way -= 1


@dataclass
class Bench:
    """A writer on such calls."""

    calls: Calls
    writer: BatchedWriter
    home: Workspace
    pauses: list[float]

    def create(self, path: str, key: str | None = None, asks: str = "this", size_bytes: int = 1) -> Pending:
        records = self.calls.records
        document = records.document(self.home, path=path, size_bytes=size_bytes)
        return Pending(document, records.intent(self.home, key, asks), b"{}")

    def send(self, create: Pending) -> "asyncio.Task[Outcome]":
        return asyncio.create_task(self.writer.record(create))


@pytest.fixture
async def bench() -> Bench:
    workspaces, clock = MemoryWorkspaces(), StillClock()
    records = Records(workspaces, MemoryApiKeys(workspaces), MemoryDocuments(workspaces, clock), clock)
    calls, pauses = Calls(records), list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    return Bench(calls, BatchedWriter(calls, pause), await records.workspace(), pauses)


def gate() -> tuple[Fault, "asyncio.Event", "asyncio.Event"]:
    """A fault that holds a call until the second event; the first tells that it is held."""
    held, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Sequence[Pending]) -> None:
        held.set()
        await go_on.wait()

    return hold, held, go_on


async def cut(_: Sequence[Pending]) -> None:
    raise Unavailable("the connection was cut")


def breaks(path: str, error: Exception) -> Fault:
    """A fault of every call that carries the path."""

    async def fault(creates: Sequence[Pending]) -> None:
        if any(create.document.storage_path.endswith(path) for create in creates):
            raise error

    return fault


async def test_a_lone_create_goes_at_once_and_alone(bench: Bench) -> None:
    create = bench.create("a")
    assert await bench.writer.record(create) == Created(create.document)
    assert bench.calls.made == [["a"]]


async def test_what_comes_while_a_call_is_under_way_goes_together_with_the_next(bench: Bench) -> None:
    hold, held, go_on = gate()
    bench.calls.before = [hold]
    first = bench.send(bench.create("a"))
    await held.wait()
    rest = [bench.send(bench.create(f"b{n}")) for n in range(5)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, *rest)
    assert bench.calls.made == [["a"], ["b0", "b1", "b2", "b3", "b4"]]


async def test_one_call_of_a_workspace_is_under_way_at_a_time_and_those_of_others_do_not_wait(bench: Bench) -> None:
    hold, held, go_on = gate()
    bench.calls.before = [hold]
    held_back = [bench.send(bench.create("a")), bench.send(bench.create("b"))]
    await held.wait()
    neighbour = Bench(bench.calls, bench.writer, await bench.calls.records.workspace(), [])
    create = neighbour.create("c")
    assert await bench.writer.record(create) == Created(create.document)
    assert not any(task.done() for task in held_back)
    go_on.set()
    await asyncio.gather(*held_back)
    assert bench.calls.most_at_once == 2


async def test_a_call_carries_at_most_128_rows(bench: Bench) -> None:
    await asyncio.gather(*(bench.send(bench.create(f"{n}", size_bytes=0)) for n in range(300)))
    assert [len(call) for call in bench.calls.made] == [128, 128, 44]


async def test_a_call_carries_at_most_one_mebibyte_and_at_least_one_row(bench: Bench) -> None:
    creates = [bench.create(f"{n}") for n in range(4)]
    for create, size in zip(creates, (2**21, 2**19, 2**19, 1), strict=True):
        create.record = bytes(size)
    await asyncio.gather(*map(bench.send, creates))
    assert bench.calls.made == [["0"], ["1", "2"], ["3"]]


async def test_rows_of_one_path_or_one_key_never_share_a_call_and_keep_their_order(bench: Bench) -> None:
    key = str(uuid4())
    creates = [
        bench.create("a", key),
        bench.create("b", key, asks="that"),
        bench.create("a"),
        bench.create("c"),
    ]
    outcomes = await asyncio.gather(*map(bench.send, creates))
    assert outcomes == [
        Created(creates[0].document),
        KeyReused(),
        PathTaken(creates[0].document.id),
        Created(creates[3].document),
    ]
    assert bench.calls.made == [["a", "c"], ["b", "a"]]


async def test_twins_share_one_row_and_all_but_the_first_are_replays(bench: Bench) -> None:
    key = str(uuid4())
    twins = [bench.create("a", key) for _ in range(5)]
    outcomes = await asyncio.gather(*map(bench.send, twins))
    assert outcomes == [Created(twins[0].document)] + [Replayed(twins[0].document)] * 4
    assert bench.calls.made == [["a"]]


async def test_a_twin_of_a_row_that_is_under_way_waits_for_it(bench: Bench) -> None:
    key = str(uuid4())
    hold, held, go_on = gate()
    bench.calls.before = [hold]
    first = bench.send(bench.create("a", key))
    await held.wait()
    second = bench.send(bench.create("a", key))
    await asyncio.sleep(0)
    go_on.set()
    created = await first
    assert isinstance(created, Created)
    assert await second == Replayed(created.document)
    assert bench.calls.made == [["a"]]


async def test_a_twin_gets_the_document_even_when_the_first_has_gone(bench: Bench) -> None:
    key = str(uuid4())
    hold, held, go_on = gate()
    bench.calls.before = [hold]
    first, twin = bench.create("a", key), bench.create("a", key)
    gone, waits = bench.send(first), bench.send(twin)
    await held.wait()
    gone.cancel()
    go_on.set()
    assert await waits == Replayed(first.document)


async def test_a_twin_that_comes_after_the_outcome_asks_anew(bench: Bench) -> None:
    key = str(uuid4())
    first = bench.create("a", key)
    await bench.writer.record(first)
    assert await bench.writer.record(bench.create("a", key)) == Replayed(first.document)
    assert bench.calls.made == [["a"], ["a"]]


async def test_a_twin_never_joins_a_row_that_is_settled_while_its_companions_still_fail(bench: Bench) -> None:
    key = str(uuid4())
    broken = Unavailable("this row makes the server crash")
    bench.calls.every = breaks("bad", broken)
    good, bad = bench.create("good", key), bench.send(bench.create("bad"))
    first = bench.send(good)
    assert await first == Created(good.document)
    assert not bad.done()
    twin = bench.send(bench.create("good", key))
    await asyncio.sleep(0)
    bench.calls.every = None
    assert await twin == Replayed(good.document)
    await bad


async def test_a_cut_connection_goes_again_with_the_same_document_and_at_once(bench: Bench) -> None:
    bench.calls.before = [cut]
    create = bench.create("a")
    assert await bench.writer.record(create) == Created(create.document)
    assert bench.calls.made == [["a"], ["a"]]
    assert bench.pauses == []


async def test_a_lost_answer_is_asked_for_again_and_nothing_is_doubled(bench: Bench) -> None:
    bench.calls.after = [cut]
    keyed, bare = bench.create("a", str(uuid4())), bench.create("b")
    outcomes = await asyncio.gather(*map(bench.send, (keyed, bare)))
    assert outcomes == [Created(keyed.document), Created(bare.document)]
    assert bench.calls.made == [["a", "b"], ["a", "b"]]
    assert (await bench.calls.records.documents.usage(bench.home.id)).documents == 2


async def test_after_two_failures_rows_go_one_by_one_and_the_bad_one_hurts_no_other(bench: Bench) -> None:
    bench.calls.every = breaks("bad", Unavailable("this row makes the server crash"))
    creates = [bench.create(path) for path in ("a", "bad", "c")]
    first, bad, last = map(bench.send, creates)
    assert await first == Created(creates[0].document)
    assert await last == Created(creates[2].document)
    assert bench.calls.made[:5] == [["a", "bad", "c"], ["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    bad.cancel()


async def test_a_row_that_the_database_will_never_take_fails_alone(bench: Bench) -> None:
    bench.calls.every = breaks("bad", ValueError("no such text"))
    creates = [bench.create(path) for path in ("a", "bad", "c")]
    outcomes = await asyncio.gather(*map(bench.send, creates), return_exceptions=True)
    assert outcomes[0] == Created(creates[0].document)
    assert isinstance(outcomes[1], ValueError)
    assert outcomes[2] == Created(creates[2].document)
    assert bench.calls.made == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]


async def test_pauses_between_tries_grow_to_half_a_second(bench: Bench) -> None:
    bench.calls.before = [cut] * 8
    await bench.writer.record(bench.create("a"))
    assert bench.pauses == [0.05, 0.1, 0.2, 0.4, 0.5, 0.5, 0.5]


async def test_what_fails_for_too_long_is_unavailable_and_the_next_create_is_tried_anew(bench: Bench) -> None:
    bench.writer = BatchedWriter(bench.calls, give_up_seconds=0.0)
    bench.calls.before = [cut]
    with pytest.raises(Unavailable, match="the connection was cut"):
        await bench.writer.record(bench.create("a"))
    create = bench.create("a")
    assert await bench.writer.record(create) == Created(create.document)


async def test_cancelling_a_wait_cancels_no_call(bench: Bench) -> None:
    hold, held, go_on = gate()
    bench.calls.before = [hold]
    creates = [bench.create("a"), bench.create("b")]
    tasks = [bench.send(create) for create in creates]
    await held.wait()
    tasks[0].cancel()
    await asyncio.sleep(0)
    go_on.set()
    assert await tasks[1] == Created(creates[1].document)
    assert await bench.calls.records.documents.get(bench.home.id, creates[0].document.id) == creates[0].document


async def test_a_cancelled_create_that_has_not_left_yet_never_does(bench: Bench) -> None:
    hold, held, go_on = gate()
    bench.calls.before = [hold]
    first = bench.send(bench.create("a"))
    await held.wait()
    waiting = bench.send(bench.create("b"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await first
    await bench.writer.aclose()
    assert bench.calls.made == [["a"]]


async def test_a_call_that_nobody_waits_for_any_more_is_not_tried_again(bench: Bench) -> None:
    hold, held, go_on = gate()

    async def hold_and_cut(creates: Sequence[Pending]) -> None:
        await hold(creates)
        await cut(creates)

    bench.calls.before = [hold_and_cut]
    task = bench.send(bench.create("a"))
    await held.wait()
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await bench.writer.aclose()
    assert bench.calls.made == [["a"]]


async def test_a_full_queue_is_unavailable_and_takes_nothing_from_another_workspace(bench: Bench) -> None:
    hold, held, go_on = gate()
    bench.calls.before = [hold]
    tasks = [bench.send(bench.create("under way", size_bytes=0))]
    await held.wait()
    tasks += [bench.send(bench.create(f"{n}", size_bytes=0)) for n in range(writer.QUEUE_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="wait already"):
        await bench.writer.record(bench.create("one too many"))
    neighbour = Bench(bench.calls, bench.writer, await bench.calls.records.workspace(), [])
    assert isinstance(await bench.writer.record(neighbour.create("a")), Created)
    go_on.set()
    assert all(isinstance(outcome, Created) for outcome in await asyncio.gather(*tasks))
    assert isinstance(await bench.writer.record(bench.create("now there is room")), Created)


async def test_closing_settles_what_came_before_and_refuses_what_comes_after(bench: Bench) -> None:
    hold, held, go_on = gate()
    bench.calls.before = [hold]
    accepted = [bench.send(bench.create("a"))]
    await held.wait()
    accepted.append(bench.send(bench.create("b")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(bench.writer.aclose())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="closed"):
        await bench.writer.record(bench.create("too late"))
    assert not closing.done()
    go_on.set()
    await closing
    assert all(task.done() for task in accepted)
    assert bench.calls.made == [["a"], ["b"]]
