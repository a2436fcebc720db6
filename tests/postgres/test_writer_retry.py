"""What the writer retries, when, and how a create that fails repeatedly delays no other create."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest

from adapters.postgres.writer.batched import BatchedWriter
from adapters.postgres.writer.lane import Pending
from ports.outcomes import Created, Replayed
from ports.system import Unavailable
from tests.postgres.writer_rig import Rig, cut, fails_with

CRASH = Unavailable("this row makes the server crash")


async def test_a_cut_connection_is_retried_at_once_with_the_same_document(rig: Rig) -> None:
    rig.calls.before = [cut]
    create = rig.create("a")
    assert await rig.writer.record(create) == Created(create.document)
    assert rig.calls.made == [["a"], ["a"]]
    assert rig.pauses == []


async def test_a_call_whose_answer_is_lost_is_retried_and_doubles_nothing(rig: Rig) -> None:
    rig.calls.after = [cut]
    keyed, bare = rig.create("a", str(uuid4())), rig.create("b")
    outcomes = await asyncio.gather(*await rig.send(keyed, bare))
    assert outcomes == [Created(keyed.document), Created(bare.document)]
    assert rig.calls.made == [["a", "b"], ["a", "b"]]
    assert (await rig.calls.records.documents.usage(rig.home.id)).documents == 2


async def test_after_two_failures_each_create_goes_alone_and_the_bad_one_affects_no_other(rig: Rig) -> None:
    rig.calls.every = fails_with("bad", CRASH)
    creates = [rig.create(path) for path in ("a", "bad", "c")]
    first, bad, last = await rig.send(*creates)
    assert await first == Created(creates[0].document)
    assert await last == Created(creates[2].document)
    assert rig.calls.made[:5] == [["a", "bad", "c"], ["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    bad.cancel()


async def test_a_create_that_the_database_never_accepts_fails_alone(rig: Rig) -> None:
    rig.calls.every = fails_with("bad", ValueError("no such text"))
    creates = [rig.create(path) for path in ("a", "bad", "c")]
    outcomes = await asyncio.gather(*await rig.send(*creates), return_exceptions=True)
    assert outcomes[::2] == [Created(creates[0].document), Created(creates[2].document)]
    assert isinstance(outcomes[1], ValueError)
    assert rig.calls.made == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]


async def test_a_create_that_fails_repeatedly_delays_no_later_create_and_shares_no_call_with_it(rig: Rig) -> None:
    rig.calls.every = fails_with("bad", CRASH)
    [bad] = await rig.send(rig.create("bad"))
    while len(rig.calls.made) < 3:  # noqa: ASYNC110  it fails until it goes alone
        await asyncio.sleep(0)
    for path in ("later", "latest"):
        create = rig.create(path)
        assert await rig.writer.record(create) == Created(create.document)
    assert not bad.done()
    assert [call for call in rig.calls.made if call != ["bad"]] == [["later"], ["latest"]]
    bad.cancel()


async def test_a_twin_of_a_settled_create_does_not_wait_for_the_retries_of_the_rest_of_its_batch(rig: Rig) -> None:
    key = str(uuid4())
    rig.calls.every = fails_with("bad", CRASH)
    good = rig.create("good", key)
    bad, first = await rig.send(rig.create("bad"), good)
    assert await first == Created(good.document)
    assert not bad.done()
    [twin] = await rig.send(rig.create("good", key))
    rig.calls.every = None
    assert await twin == Replayed(good.document)
    await bad


async def test_a_twin_of_a_create_that_the_database_never_accepts_is_sent_itself(rig: Rig) -> None:
    key = str(uuid4())
    create, twins = rig.create("bad", key), []

    async def send_twin(_: Sequence[Pending]) -> None:
        rig.calls.every = None
        twins.extend(await rig.send(create))

    # The twin arrives during the call of "other", after the bad create has failed alone.
    rig.calls.every, rig.calls.before = fails_with("bad", ValueError("no such text")), [send_twin]
    bad, other = await rig.send(rig.create("bad", key), rig.create("other"))
    with pytest.raises(ValueError, match="no such text"):
        await bad
    await other
    assert await twins[0] == Created(create.document)


async def test_creates_without_waiting_requests_are_not_isolated(rig: Rig) -> None:
    rig.calls.before = [cut, cut]
    async with rig.held_call(*(rig.create(f"{n}") for n in range(100)), then=cut) as tasks:
        for task in tasks:
            task.cancel()
    await rig.writer.aclose()
    assert [len(call) for call in rig.calls.made] == [100, 100, 1]


async def test_a_workspace_works_again_after_its_call_was_cancelled_from_within(rig: Rig) -> None:
    async def cancelled(_: Sequence[Pending]) -> None:
        raise asyncio.CancelledError

    rig.calls.before = [cancelled]
    with pytest.raises(Unavailable, match="stopped"):
        await rig.writer.record(rig.create("a"))
    create = rig.create("a")
    assert await rig.writer.record(create) == Created(create.document)


async def test_pauses_between_retries_grow_to_half_a_second(rig: Rig) -> None:
    rig.calls.before = [cut] * 8
    await rig.writer.record(rig.create("a"))
    assert rig.pauses == [0.05, 0.1, 0.2, 0.4, 0.5, 0.5, 0.5]


async def test_the_first_failure_after_a_success_is_retried_without_a_pause(rig: Rig) -> None:
    async def succeed(_: Sequence[Pending]) -> None:
        pass

    # Two creates with one path go in separate calls of one lane.
    rig.calls.before = [cut, cut, succeed, cut]
    await asyncio.gather(*await rig.send(rig.create("a"), rig.create("a")))
    assert rig.pauses == [0.05]


async def test_a_create_that_fails_for_too_long_is_unavailable_and_the_next_one_is_recorded(rig: Rig) -> None:
    rig.writer = BatchedWriter(rig.calls, give_up_seconds=0.1)
    rig.calls.every = cut
    with pytest.raises(Unavailable, match=r"not recorded in time, after [1-9] failures"):
        await rig.writer.record(rig.create("a"))
    rig.calls.every = None
    create = rig.create("a")
    assert await rig.writer.record(create) == Created(create.document)
