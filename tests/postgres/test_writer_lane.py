"""Which creates share a call, which wait for the next one, and which outcome each request gets."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest

from adapters.postgres.writer.lane import QUEUE_MAX, Pending
from ports.outcomes import Created, IdempotencyKeyReused, PathTaken, Replayed
from ports.system import Unavailable
from tests.postgres.writer_rig import Rig, cut


async def test_creates_that_arrive_during_a_call_share_the_next_one(rig: Rig) -> None:
    async with rig.held_call():
        waiting = await rig.send(*(rig.create(f"{n}") for n in range(5)))
    assert all(isinstance(outcome, Created) for outcome in await asyncio.gather(*waiting))
    assert rig.calls.made == [["held"], ["0", "1", "2", "3", "4"]]


async def test_a_workspace_has_one_call_at_a_time_and_delays_no_other_workspace(rig: Rig) -> None:
    neighbour = await rig.neighbour()
    async with rig.held_call():
        [waiting] = await rig.send(rig.create("b"))
        create = neighbour.create("c")
        assert await rig.writer.record(create) == Created(create.document)
        assert not waiting.done()
    await waiting
    assert rig.calls.under_way_max == 2


async def test_a_call_carries_at_most_128_rows(rig: Rig) -> None:
    await asyncio.gather(*await rig.send(*(rig.create(f"{n}", size_bytes=0) for n in range(300))))
    assert [len(call) for call in rig.calls.made] == [128, 128, 44]


async def test_a_call_carries_at_most_one_mebibyte_but_at_least_one_row(rig: Rig) -> None:
    creates = [rig.create(f"{n}") for n in range(4)]
    for create, size in zip(creates, (2**21, 2**19, 2**19, 1), strict=True):
        create.record = bytes(size)
    await asyncio.gather(*await rig.send(*creates))
    assert rig.calls.made == [["0"], ["1", "2"], ["3"]]


async def test_creates_with_one_path_or_one_idempotency_key_go_in_separate_calls_in_their_order(rig: Rig) -> None:
    key = str(uuid4())
    creates = [rig.create("a", key), rig.create("b", key, asks="that"), rig.create("a"), rig.create("c")]
    assert await asyncio.gather(*await rig.send(*creates)) == [
        Created(creates[0].document),
        IdempotencyKeyReused(),
        PathTaken(creates[0].document.id),
        Created(creates[3].document),
    ]
    assert rig.calls.made == [["a", "c"], ["b", "a"]]


async def test_twins_share_one_row_and_all_but_the_first_get_a_replay(rig: Rig) -> None:
    key = str(uuid4())
    twins = [rig.create("a", key) for _ in range(5)]
    async with rig.held_call(*twins[:3]) as tasks:
        tasks += await rig.send(*twins[3:])
    assert await asyncio.gather(*tasks) == [Created(twins[0].document)] + [Replayed(twins[0].document)] * 4
    assert rig.calls.made == [["a"]]


async def test_a_twin_gets_the_document_although_the_first_request_was_cancelled(rig: Rig) -> None:
    key = str(uuid4())
    first = rig.create("a", key)
    async with rig.held_call(first, rig.create("a", key)) as (cancelled, twin):
        cancelled.cancel()
    assert await twin == Replayed(first.document)


async def test_a_twin_that_arrives_after_the_outcome_asks_the_database(rig: Rig) -> None:
    key = str(uuid4())
    first = rig.create("a", key)
    await rig.writer.record(first)
    assert await rig.writer.record(rig.create("a", key)) == Replayed(first.document)
    assert rig.calls.made == [["a"], ["a"]]


async def test_cancelling_a_request_does_not_cancel_its_call(rig: Rig) -> None:
    async with rig.held_call(rig.create("a"), rig.create("b")) as (cancelled, other):
        cancelled.cancel()
    assert isinstance(await other, Created)
    assert (await rig.calls.records.documents.usage(rig.home.id)).documents == 2


async def test_a_create_that_was_cancelled_before_its_call_is_never_sent(rig: Rig) -> None:
    async with rig.held_call():
        [waiting] = await rig.send(rig.create("b"))
        waiting.cancel()
    await rig.writer.aclose()
    assert rig.calls.made == [["held"]]


async def test_a_twin_of_a_cancelled_create_is_sent_itself(rig: Rig) -> None:
    key = str(uuid4())
    create, twins = rig.create("b", key), []

    async def send_twin(_: Sequence[Pending]) -> None:
        twins.extend(await rig.send(create))

    async with rig.held_call():
        cancelled, _ = await rig.send(rig.create("b", key), rig.create("c"))
        cancelled.cancel()
        await asyncio.sleep(0)
        # The lane drops the cancelled create before the call of "c", during which the twin arrives.
        rig.calls.before = [send_twin]
    await rig.writer.aclose()
    assert await twins[0] == Created(create.document)


async def test_a_failed_call_without_waiting_requests_is_not_retried(rig: Rig) -> None:
    async with rig.held_call(then=cut) as (task,):
        task.cancel()
    await rig.writer.aclose()
    assert rig.calls.made == [["held"]]


async def test_a_full_queue_is_unavailable_and_does_not_affect_another_workspace(rig: Rig) -> None:
    neighbour = await rig.neighbour()
    async with rig.held_call(rig.create("held", size_bytes=0)):
        waiting = await rig.send(*(rig.create(f"{n}", size_bytes=0) for n in range(QUEUE_MAX)))
        with pytest.raises(Unavailable, match="wait already"):
            await rig.writer.record(rig.create("one too many"))
        assert isinstance(await rig.writer.record(neighbour.create("a")), Created)
    assert all(isinstance(outcome, Created) for outcome in await asyncio.gather(*waiting))
    assert isinstance(await rig.writer.record(rig.create("now there is room")), Created)


async def test_cancelled_creates_take_no_place_in_the_queue(rig: Rig) -> None:
    async with rig.held_call():
        for task in await rig.send(*(rig.create(f"{n}") for n in range(QUEUE_MAX))):
            task.cancel()
        await asyncio.sleep(0)
        create = rig.create("now there is room")
        [waiting] = await rig.send(create)
    assert await waiting == Created(create.document)


async def test_closing_settles_earlier_creates_and_refuses_later_ones(rig: Rig) -> None:
    async with rig.held_call() as accepted:
        accepted += await rig.send(rig.create("b"))
        closing = asyncio.create_task(rig.writer.aclose())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="closed"):
            await rig.writer.record(rig.create("too late"))
        assert not closing.done()
    await closing
    assert all(task.done() for task in accepted)
    assert rig.calls.made == [["held"], ["b"]]
