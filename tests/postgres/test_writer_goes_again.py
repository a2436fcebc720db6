"""What fails goes again until its outcome is known, and hurts nobody else."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest

from adapters.postgres.writer.batched import BatchedWriter
from adapters.postgres.writer.lane import Pending
from ports.outcomes import Created, Replayed
from ports.system import Unavailable
from tests.postgres.calls import Rig, breaks, cut, gate


async def test_a_twin_never_joins_a_row_that_is_settled_while_its_companions_still_fail(rig: Rig) -> None:
    key = str(uuid4())
    broken = Unavailable("this row makes the server crash")
    rig.calls.every = breaks("bad", broken)
    good, bad = rig.create("good", key), rig.send(rig.create("bad"))
    first = rig.send(good)
    assert await first == Created(good.document)
    assert not bad.done()
    twin = rig.send(rig.create("good", key))
    await asyncio.sleep(0)
    rig.calls.every = None
    assert await twin == Replayed(good.document)
    await bad


async def test_a_cut_connection_goes_again_with_the_same_document_and_at_once(rig: Rig) -> None:
    rig.calls.before = [cut]
    create = rig.create("a")
    assert await rig.writer.record(create) == Created(create.document)
    assert rig.calls.made == [["a"], ["a"]]
    assert rig.pauses == []


async def test_a_lost_answer_is_asked_for_again_and_nothing_is_doubled(rig: Rig) -> None:
    rig.calls.after = [cut]
    keyed, bare = rig.create("a", str(uuid4())), rig.create("b")
    outcomes = await asyncio.gather(*map(rig.send, (keyed, bare)))
    assert outcomes == [Created(keyed.document), Created(bare.document)]
    assert rig.calls.made == [["a", "b"], ["a", "b"]]
    assert (await rig.calls.records.documents.usage(rig.home.id)).documents == 2


async def test_after_two_failures_rows_go_one_by_one_and_the_bad_one_hurts_no_other(rig: Rig) -> None:
    rig.calls.every = breaks("bad", Unavailable("this row makes the server crash"))
    creates = [rig.create(path) for path in ("a", "bad", "c")]
    first, bad, last = map(rig.send, creates)
    assert await first == Created(creates[0].document)
    assert await last == Created(creates[2].document)
    assert rig.calls.made[:5] == [["a", "bad", "c"], ["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    bad.cancel()


async def test_a_row_that_the_database_will_never_take_fails_alone(rig: Rig) -> None:
    rig.calls.every = breaks("bad", ValueError("no such text"))
    creates = [rig.create(path) for path in ("a", "bad", "c")]
    outcomes = await asyncio.gather(*map(rig.send, creates), return_exceptions=True)
    assert outcomes[0] == Created(creates[0].document)
    assert isinstance(outcomes[1], ValueError)
    assert outcomes[2] == Created(creates[2].document)
    assert rig.calls.made == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]


async def test_a_row_that_keeps_failing_holds_up_nobody_who_comes_after_it(rig: Rig) -> None:
    rig.calls.every = breaks("bad", Unavailable("this row makes the server crash"))
    bad = rig.send(rig.create("bad"))
    while len(rig.calls.made) < 3:  # noqa: ASYNC110  it fails until it goes alone
        await asyncio.sleep(0)
    for path in ("later", "latest"):
        create = rig.create(path)
        assert await rig.writer.record(create) == Created(create.document)
    assert not bad.done()
    # And goes with none of them: they would fail with it.
    assert [call for call in rig.calls.made if call != ["bad"]] == [["later"], ["latest"]]
    bad.cancel()


async def test_rows_that_nobody_waits_for_any_more_have_no_turn_of_their_own(rig: Rig) -> None:
    hold, held, go_on = gate()

    async def hold_and_cut(creates: Sequence[Pending]) -> None:
        await hold(creates)
        await cut(creates)

    rig.calls.before = [cut, cut, hold_and_cut]
    tasks = [rig.send(rig.create(f"{n}")) for n in range(100)]
    await held.wait()
    for task in tasks:
        task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await rig.writer.aclose()
    assert [len(call) for call in rig.calls.made] == [100, 100, 1]


async def test_a_workspace_whose_call_was_cancelled_from_within_is_served_again(rig: Rig) -> None:
    async def cancelled(_: Sequence[Pending]) -> None:
        raise asyncio.CancelledError

    rig.calls.before = [cancelled]
    with pytest.raises(Unavailable, match="stopped"):
        await rig.writer.record(rig.create("a"))
    create = rig.create("a")
    assert await rig.writer.record(create) == Created(create.document)


async def test_a_twin_of_a_row_that_the_database_would_not_take_asks_anew(rig: Rig) -> None:
    key = str(uuid4())
    hold, held, go_on = gate()
    rig.calls.every, rig.calls.before = breaks("bad", ValueError("no such text")), [hold]
    bad, other = rig.send(rig.create("bad", key)), rig.send(rig.create("other"))
    with pytest.raises(ValueError, match="no such text"):
        await bad
    # Another row of the workspace is under way when the twin comes.
    await held.wait()
    rig.calls.every = None
    create = rig.create("bad", key)
    twin = rig.send(create)
    await asyncio.sleep(0)
    go_on.set()
    assert await twin == Created(create.document)
    await other


async def test_pauses_between_tries_grow_to_half_a_second(rig: Rig) -> None:
    rig.calls.before = [cut] * 8
    await rig.writer.record(rig.create("a"))
    assert rig.pauses == [0.05, 0.1, 0.2, 0.4, 0.5, 0.5, 0.5]


async def test_what_fails_for_too_long_is_unavailable_and_the_next_create_is_tried_anew(rig: Rig) -> None:
    rig.writer = BatchedWriter(rig.calls, give_up_seconds=0.1)
    rig.calls.every = cut
    with pytest.raises(Unavailable, match=r"not recorded in time, after [1-9] failures"):
        await rig.writer.record(rig.create("a"))
    rig.calls.every = None
    create = rig.create("a")
    assert await rig.writer.record(create) == Created(create.document)
