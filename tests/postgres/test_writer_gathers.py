"""What goes with one call, what waits for the next, and who is told what."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest

from adapters.postgres.writer.lane import QUEUE_MAX, Pending
from ports.outcomes import Created, IdempotencyKeyReused, PathTaken, Replayed
from ports.system import Unavailable
from tests.postgres.calls import Rig, cut, gate


async def test_a_lone_create_goes_at_once_and_alone(rig: Rig) -> None:
    create = rig.create("a")
    assert await rig.writer.record(create) == Created(create.document)
    assert rig.calls.made == [["a"]]


async def test_what_comes_while_a_call_is_under_way_goes_together_with_the_next(rig: Rig) -> None:
    hold, held, go_on = gate()
    rig.calls.before = [hold]
    first = rig.send(rig.create("a"))
    await held.wait()
    rest = [rig.send(rig.create(f"b{n}")) for n in range(5)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, *rest)
    assert rig.calls.made == [["a"], ["b0", "b1", "b2", "b3", "b4"]]


async def test_one_call_of_a_workspace_is_under_way_at_a_time_and_those_of_others_do_not_wait(rig: Rig) -> None:
    hold, held, go_on = gate()
    rig.calls.before = [hold]
    held_back = [rig.send(rig.create("a")), rig.send(rig.create("b"))]
    await held.wait()
    neighbour = Rig(rig.calls, rig.writer, await rig.calls.records.workspace(), [])
    create = neighbour.create("c")
    assert await rig.writer.record(create) == Created(create.document)
    assert not any(task.done() for task in held_back)
    go_on.set()
    await asyncio.gather(*held_back)
    assert rig.calls.most_at_once == 2


async def test_a_call_carries_at_most_128_rows(rig: Rig) -> None:
    await asyncio.gather(*(rig.send(rig.create(f"{n}", size_bytes=0)) for n in range(300)))
    assert [len(call) for call in rig.calls.made] == [128, 128, 44]


async def test_a_call_carries_at_most_one_mebibyte_and_at_least_one_row(rig: Rig) -> None:
    creates = [rig.create(f"{n}") for n in range(4)]
    for create, size in zip(creates, (2**21, 2**19, 2**19, 1), strict=True):
        create.record = bytes(size)
    await asyncio.gather(*map(rig.send, creates))
    assert rig.calls.made == [["0"], ["1", "2"], ["3"]]


async def test_rows_of_one_path_or_one_key_never_share_a_call_and_keep_their_order(rig: Rig) -> None:
    key = str(uuid4())
    creates = [
        rig.create("a", key),
        rig.create("b", key, asks="that"),
        rig.create("a"),
        rig.create("c"),
    ]
    outcomes = await asyncio.gather(*map(rig.send, creates))
    assert outcomes == [
        Created(creates[0].document),
        IdempotencyKeyReused(),
        PathTaken(creates[0].document.id),
        Created(creates[3].document),
    ]
    assert rig.calls.made == [["a", "c"], ["b", "a"]]


async def test_twins_share_one_row_and_all_but_the_first_are_replays(rig: Rig) -> None:
    key = str(uuid4())
    twins = [rig.create("a", key) for _ in range(5)]
    outcomes = await asyncio.gather(*map(rig.send, twins))
    assert outcomes == [Created(twins[0].document)] + [Replayed(twins[0].document)] * 4
    assert rig.calls.made == [["a"]]


async def test_a_twin_of_a_row_that_is_under_way_waits_for_it(rig: Rig) -> None:
    key = str(uuid4())
    hold, held, go_on = gate()
    rig.calls.before = [hold]
    first = rig.send(rig.create("a", key))
    await held.wait()
    second = rig.send(rig.create("a", key))
    await asyncio.sleep(0)
    go_on.set()
    created = await first
    assert isinstance(created, Created)
    assert await second == Replayed(created.document)
    assert rig.calls.made == [["a"]]


async def test_a_twin_gets_the_document_even_when_the_first_has_gone(rig: Rig) -> None:
    key = str(uuid4())
    hold, held, go_on = gate()
    rig.calls.before = [hold]
    first, twin = rig.create("a", key), rig.create("a", key)
    gone, waits = rig.send(first), rig.send(twin)
    await held.wait()
    gone.cancel()
    go_on.set()
    assert await waits == Replayed(first.document)


async def test_a_twin_that_comes_after_the_outcome_asks_anew(rig: Rig) -> None:
    key = str(uuid4())
    first = rig.create("a", key)
    await rig.writer.record(first)
    assert await rig.writer.record(rig.create("a", key)) == Replayed(first.document)
    assert rig.calls.made == [["a"], ["a"]]


async def test_cancelling_a_wait_cancels_no_call(rig: Rig) -> None:
    hold, held, go_on = gate()
    rig.calls.before = [hold]
    creates = [rig.create("a"), rig.create("b")]
    tasks = [rig.send(create) for create in creates]
    await held.wait()
    tasks[0].cancel()
    await asyncio.sleep(0)
    go_on.set()
    assert await tasks[1] == Created(creates[1].document)
    assert (await rig.calls.records.documents.usage(rig.home.id)).documents == 2


async def test_a_cancelled_create_that_has_not_left_yet_never_does(rig: Rig) -> None:
    hold, held, go_on = gate()
    rig.calls.before = [hold]
    first = rig.send(rig.create("a"))
    await held.wait()
    waiting = rig.send(rig.create("b"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await first
    await rig.writer.aclose()
    assert rig.calls.made == [["a"]]


async def test_a_twin_of_a_create_that_was_dropped_goes_itself(rig: Rig) -> None:
    key = str(uuid4())
    (hold, held, go_on), (hold_next, held_next, go_on_next) = gate(), gate()
    rig.calls.before = [hold, hold_next]
    others = [rig.send(rig.create("a"))]
    await held.wait()
    dropped = rig.send(rig.create("b", key))
    others.append(rig.send(rig.create("c")))
    await asyncio.sleep(0)
    dropped.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await held_next.wait()
    create = rig.create("b", key)
    twin = rig.send(create)
    await asyncio.sleep(0)
    go_on_next.set()
    assert await twin == Created(create.document)
    await asyncio.gather(*others)


async def test_a_call_that_nobody_waits_for_any_more_is_not_tried_again(rig: Rig) -> None:
    hold, held, go_on = gate()

    async def hold_and_cut(creates: Sequence[Pending]) -> None:
        await hold(creates)
        await cut(creates)

    rig.calls.before = [hold_and_cut]
    task = rig.send(rig.create("a"))
    await held.wait()
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await rig.writer.aclose()
    assert rig.calls.made == [["a"]]


async def test_a_full_queue_is_unavailable_and_takes_nothing_from_another_workspace(rig: Rig) -> None:
    hold, held, go_on = gate()
    rig.calls.before = [hold]
    tasks = [rig.send(rig.create("under way", size_bytes=0))]
    await held.wait()
    tasks += [rig.send(rig.create(f"{n}", size_bytes=0)) for n in range(QUEUE_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="wait already"):
        await rig.writer.record(rig.create("one too many"))
    neighbour = Rig(rig.calls, rig.writer, await rig.calls.records.workspace(), [])
    assert isinstance(await rig.writer.record(neighbour.create("a")), Created)
    go_on.set()
    assert all(isinstance(outcome, Created) for outcome in await asyncio.gather(*tasks))
    assert isinstance(await rig.writer.record(rig.create("now there is room")), Created)


async def test_rows_that_nobody_waits_for_take_no_place_in_the_queue(rig: Rig) -> None:
    hold, held, go_on = gate()
    rig.calls.before = [hold]
    first = rig.send(rig.create("under way"))
    await held.wait()
    gone = [rig.send(rig.create(f"{n}")) for n in range(QUEUE_MAX)]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.sleep(0)
    create = rig.create("now there is room")
    waits = rig.send(create)
    await asyncio.sleep(0)
    go_on.set()
    assert await waits == Created(create.document)
    await first


async def test_closing_settles_what_came_before_and_refuses_what_comes_after(rig: Rig) -> None:
    hold, held, go_on = gate()
    rig.calls.before = [hold]
    accepted = [rig.send(rig.create("a"))]
    await held.wait()
    accepted.append(rig.send(rig.create("b")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(rig.writer.aclose())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="closed"):
        await rig.writer.record(rig.create("too late"))
    assert not closing.done()
    go_on.set()
    await closing
    assert all(task.done() for task in accepted)
    assert rig.calls.made == [["a"], ["b"]]
