"""Questions that wait at the same time share a call. The test decides when each call ends."""

import asyncio
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.batching.shared_calls import Again, SharedCalls
from ports.system import Unavailable


class Asking:
    """Shared calls whose answer to each question is the question itself. Questions are workspaces with a word."""

    def __init__(self, **options: Any) -> None:
        self.calls: list[list[str]] = []
        """The questions of each call."""
        self.began = asyncio.Semaphore(0)
        self.may_end = asyncio.Semaphore(0)
        self.shared = SharedCalls[str, str](self._call, **{"most": 100} | options)

    async def _call(self, questions: Sequence[str]) -> Mapping[str, str | Again]:
        self.calls.append([*questions])
        self.began.release()
        await self.may_end.acquire()
        if "away" in questions:
            raise Unavailable("away")
        if any(question.endswith("bad") for question in questions):
            raise ValueError("bad")
        if "again" in questions and len(self.calls) == 1:
            return {question: Again.AGAIN if question == "again" else question for question in questions}
        # In another order, with the answer to no question, and without the answer to one.
        return {question: question for question in reversed([*questions, "foreign"]) if question != "unknown"}

    async def begin(self, *questions: str) -> "list[asyncio.Task[str | None]]":
        """Ask in tasks of their own, and return once the call of the first question has begun."""
        tasks = self.ask(*questions)
        await self.began.acquire()
        return tasks

    def ask(self, *questions: str) -> "list[asyncio.Task[str | None]]":
        return [asyncio.create_task(self._ask(question)) for question in questions]

    async def _ask(self, question: str) -> str | None:
        return await self.shared.ask(question)


async def ended(tasks: "Sequence[asyncio.Task[str | None]]") -> list[Any]:
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_lone_question_is_asked_at_once_and_those_that_come_meanwhile_share_the_next_call() -> None:
    asking = Asking()
    first = await asking.begin("a")
    later = asking.ask("a", "b", "unknown", "b")
    await asyncio.sleep(0)
    assert asking.calls == [["a"]]
    asking.may_end.release()
    assert await ended(first) == ["a"]
    await asking.began.acquire()
    # A question that is asked during its own call is asked again: its answer may have changed since.
    assert asking.calls == [["a"], ["a", "b", "unknown"]]
    asking.may_end.release()
    assert await ended(later) == ["a", "b", None, "b"]


async def test_a_cancelled_request_cancels_no_other_and_its_question_is_not_asked() -> None:
    asking = Asking()
    cancelled, other = await asking.begin("a", "a")
    never, shared, kept = asking.ask("b", "c", "c")
    await asyncio.sleep(0)
    for task in (cancelled, never, shared):
        task.cancel()
    for _ in range(2):
        asking.may_end.release()
    assert await ended([other, kept]) == ["a", "c"]
    assert asking.calls == [["a"], ["c"]]


async def test_a_question_that_causes_an_error_fails_alone_and_an_outage_fails_the_call() -> None:
    asking = Asking()
    questions = [f"{number}" for number in range(15)]
    for _ in range(100):
        asking.may_end.release()
    *good, bad = await ended(asking.ask(*questions, "bad"))
    assert good == questions
    assert isinstance(bad, ValueError)
    assert len(asking.calls) == 1 + 2 * 4
    assert [type(outcome) for outcome in await ended(asking.ask("a", "away"))] == [Unavailable] * 2
    assert await ended(asking.ask("a")) == ["a"]


async def test_a_question_that_must_be_asked_again_joins_the_next_call_and_delays_no_other() -> None:
    asking = Asking()
    again, other = await asking.begin("again", "a")
    later = asking.ask("b", "again")
    await asyncio.sleep(0)
    asking.may_end.release()
    assert await other == "a"
    assert not again.done()
    asking.may_end.release()
    assert await ended([again, *later]) == ["again", "b", "again"]
    assert asking.calls == [["again", "a"], ["b", "again"]]


async def test_owners_take_turns_when_more_questions_wait_than_a_call_takes() -> None:
    asking = Asking(most=4, owner_of=lambda question: question[0])
    flood = [f"a{number}" for number in range(9)]
    tasks = asking.ask(*flood, "b0", "b1", "c0")
    for _ in range(3):
        asking.may_end.release()
    assert await ended(tasks) == [*flood, "b0", "b1", "c0"]
    assert asking.calls == [["a0", "a1", "b0", "c0"], ["a2", "a3", "a4", "b1"], ["a5", "a6", "a7", "a8"]]


async def test_an_owner_has_a_share_of_a_call_with_others_and_alone_all_of_it() -> None:
    asking = Asking(most=4, each=2, owner_of=lambda question: question[0])
    flood = [f"a{number}" for number in range(8)]
    tasks = asking.ask(*flood, "b0")
    for _ in range(3):
        asking.may_end.release()
    assert await ended(tasks) == [*flood, "b0"]
    assert asking.calls == [["a0", "a1", "b0"], ["a2", "a3", "a4", "a5"], ["a6", "a7"]]


async def test_only_questions_that_have_waited_too_long_are_refused_and_none_whose_call_has_begun() -> None:
    may_begin = asyncio.Event()

    @asynccontextmanager
    async def place(lane: Hashable) -> AsyncIterator[None]:
        if lane == "b":
            await may_begin.wait()
        yield

    asking = Asking(wait_seconds=0, lane_of=lambda question: question[0], place=place)
    begun = await asking.begin("a1")
    # Some wait behind a call, and the others for a place.
    late = asking.ask("a1", "a2", "b1", "b2")
    await asyncio.sleep(0)
    asking.shared._wait_seconds = 60
    in_time = asking.ask("a1", "b1")
    outcomes = await ended(late)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 4
    assert not any(task.done() for task in (*begun, *in_time))
    may_begin.set()
    for _ in range(3):
        asking.may_end.release()
    assert await ended([*begun, *in_time]) == ["a1", "a1", "b1"]
    assert sorted(asking.calls) == [["a1"], ["a1"], ["b1"]]
    assert asking.shared._lanes == {}


async def test_a_slow_call_keeps_the_next_one_back_only_for_a_moment_up_to_the_most_calls() -> None:
    asking = Asking(calls_max=2)
    tasks = []
    for question in "ab":
        # The second call begins as soon as the first one is slow.
        tasks += await asking.begin(question)
    tasks += asking.ask("c", "d")
    await asyncio.sleep(0)
    assert asking.calls == [["a"], ["b"]]
    for _ in range(3):
        asking.may_end.release()
    assert await ended(tasks) == ["a", "b", "c", "d"]
    assert asking.calls[2:] == [["c", "d"]]


async def test_each_lane_has_its_own_calls_and_waits_for_its_own_place() -> None:
    may_begin = asyncio.Event()

    @asynccontextmanager
    async def place(lane: Hashable) -> AsyncIterator[None]:
        if lane == "b":
            await may_begin.wait()
        if lane == "c":
            raise Unavailable("no place")
        yield

    asking = Asking(lane_of=lambda question: question[0], place=place)
    waiting = asking.ask("b1")
    tasks = [*await asking.begin("a1"), *waiting, *asking.ask("b2")]
    refused = await ended(asking.ask("c1", "c2"))
    assert [type(outcome) for outcome in refused] == [Unavailable] * 2
    may_begin.set()
    await asking.began.acquire()
    # Questions that come while their lane waits for its place share the call.
    assert asking.calls == [["a1"], ["b1", "b2"]]
    for _ in range(2):
        asking.may_end.release()
    assert await ended(tasks) == ["a1", "b1", "b2"]
    assert asking.shared._lanes == {}


async def test_closing_cancels_every_question() -> None:
    asking = Asking()
    tasks = [*await asking.begin("a"), *asking.ask("b")]
    await asyncio.sleep(0)
    await asking.shared.aclose()
    assert [type(outcome) for outcome in await ended(tasks)] == [asyncio.CancelledError] * 2


@pytest.mark.parametrize("error", ["away", "bad"])
async def test_an_error_that_nobody_waits_for_any_more_is_not_reported(
    error: str, caplog: pytest.LogCaptureFixture
) -> None:
    asking = Asking()
    [task] = await asking.begin(error)
    task.cancel()
    asking.may_end.release()
    await asking.shared.ended()
    assert caplog.records == []
