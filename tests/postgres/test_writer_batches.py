"""The writer: the creates that share a call, and the outcome of each request."""

import asyncio
from collections.abc import Sequence

import pytest

from adapters.postgres.creates import PendingCreate
from adapters.postgres.writer.cost import COST_MAX
from adapters.postgres.writer.lane import COST_SHARE, LANE_MAX
from ports.outcomes import Created, IdempotencyKeyReused, PathTaken, Replayed
from ports.system import Unavailable
from tests.contracts.records import new_key
from tests.postgres.rig import Rig


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


async def test_a_full_lane_refuses_creates_affects_no_other_workspace_and_drops_cancelled_ones(rig: Rig) -> None:
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
