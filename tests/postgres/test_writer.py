"""The writer when calls fail: which creates are sent again, how many together, and when."""

import asyncio
import math
from collections.abc import Sequence

import pytest

from adapters.postgres.creates import PendingCreate
from adapters.postgres.database import LOCK_SECONDS, STATEMENT_SECONDS
from adapters.postgres.not_begun import NotBegun
from adapters.postgres.writer.lane import ROWS_MAX
from ports.outcomes import Created, Replayed
from ports.system import Unavailable
from tests.contracts.records import new_key
from tests.postgres.rig import Rig, cut, fails_with, refuse

CRASH = Unavailable("this row makes the server crash")
CALL_SECONDS = 0.05


async def test_a_create_that_always_fails_is_soon_sent_alone_and_delays_no_other(rig: Rig) -> None:
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
"""The behaviour of the database during a stall: the seconds until a call is given up, and its error."""


@pytest.mark.parametrize("seconds", range(1, 7))
@pytest.mark.parametrize("stall", STALLS)
async def test_after_a_stall_1000_creates_need_at_most_twice_the_usual_calls(
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
async def test_of_1000_creates_the_one_that_always_fails_is_isolated(rig: Rig, error: Exception) -> None:
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


async def test_a_suspected_create_that_gets_no_connection_remains_suspected(rig: Rig) -> None:
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


async def test_the_first_failure_is_retried_at_once_and_later_pauses_grow_to_half_a_second(rig: Rig) -> None:
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
