"""Questions that wait at the same time share one call, so that many requests cost little more than one.

There is no timer. A question is asked at once if no call is under way, and those that come meanwhile share the next
call. So a lone question is a call of one, on the same path, and no answer is older than its question.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import chain
from typing import Generic, TypeVar

from ports.system import Unavailable

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")

SLOW_SECONDS = 0.02
"""How long a call keeps the next one of its lane back. Then the next one may begin beside it."""


class Again(Enum):
    """Instead of an answer: the question waits for a later call."""

    AGAIN = auto()


_Waiting = dict[Question, list[asyncio.Future[Answer | None]]]
"""Questions, each with the future answers of those who wait for it, in the order of arrival."""


@dataclass(slots=True, eq=False)
class _Lane(Generic[Question, Answer]):
    """Questions that may share a call, and the number of calls under way.

    `is_held`: the newest call keeps the next one back.
    """

    waiting: _Waiting[Question, Answer] = field(default_factory=dict)
    calls: int = 0
    is_held: bool = False


def _all_alike(_: object) -> Hashable:
    return None


def _at_once(_: Hashable) -> AbstractAsyncContextManager[None]:
    return nullcontext()


class SharedCalls(Generic[Question, Answer]):
    """Asks the questions of a lane that wait at the same time in one call. Equal questions are asked once.

    `call` answers some questions of one lane. Its result has each answer under its question, so an answer can get to no
    other question, whatever their order. A question without an answer gets `None`, and one with `Again.AGAIN` is asked
    again in a later call, while the others are answered.

    - `lane_of` says which questions may share a call. By default, all may.
    - `calls_max`: the most calls of a lane at the same time. The next one begins when the one before it has ended, or
      takes longer than 20 ms.
    - `most`: the most questions of a call. If more wait, their owners take turns; `owner_of` says to whom one belongs.
    - `each`: the most questions of one owner in a call that has questions of other owners too. By default, `most`.
    - `wait_seconds`: how long a question waits for its call to begin. Then it gets `Unavailable`. By default, it waits
      without a limit.
    - `place` is entered for each call before its questions are taken, with the lane.
    """

    def __init__(
        self,
        call: Callable[[Sequence[Question]], Awaitable[Mapping[Question, Answer | Again]]],
        *,
        most: int,
        each: int | None = None,
        calls_max: int = 1,
        wait_seconds: float | None = None,
        lane_of: Callable[[Question], Hashable] = _all_alike,
        owner_of: Callable[[Question], Hashable] = _all_alike,
        place: Callable[[Hashable], AbstractAsyncContextManager[None]] = _at_once,
    ) -> None:
        self._call = call
        self._most = most
        self._each = most if each is None else each
        self._calls_max = calls_max
        self._wait_seconds = wait_seconds
        self._lane_of = lane_of
        self._owner_of = owner_of
        self._place = place
        self._lanes: dict[Hashable, _Lane[Question, Answer]] = {}
        # Keep references: the event loop has only weak references to tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, question: Question) -> "asyncio.Future[Answer | None]":
        """Return the future answer. It is read after this call, so it shows everything that was committed before.

        Cancelling it affects no other request. If all requests for a question are cancelled before its call begins,
        it is not asked. If a call fails, all its questions get the error. If that is no `Unavailable`, each half of
        them is asked again, so that a question which causes an error fails alone.
        """
        name = self._lane_of(question)
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer | None] = loop.create_future()
        lane.waiting.setdefault(question, []).append(answer)
        self._begin_if_free(name, lane)
        if self._wait_seconds is not None:
            late = loop.call_later(self._wait_seconds, self._refuse_if_waiting, lane, question, answer)
            answer.add_done_callback(lambda _: late.cancel())
        return answer

    def _refuse_if_waiting(
        self, lane: _Lane[Question, Answer], question: Question, answer: "asyncio.Future[Answer | None]"
    ) -> None:
        if answer in lane.waiting.get(question, ()):
            _fail({question: [answer]}, Unavailable(f"earlier calls took longer than {self._wait_seconds} seconds"))

    async def aclose(self) -> None:
        """Cancel all questions."""
        for lane in self._lanes.values():
            _cancel(lane.waiting)
        for task in self._tasks:
            task.cancel()
        await self.ended()

    async def ended(self) -> None:
        """Return once no call is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _begin_if_free(self, name: Hashable, lane: _Lane[Question, Answer]) -> None:
        if lane.is_held or lane.calls == self._calls_max:
            return
        if lane.waiting:
            lane.is_held = True
            lane.calls += 1
            task = asyncio.create_task(self._make_call(name, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif not lane.calls:
            del self._lanes[name]

    async def _make_call(self, name: Hashable, lane: _Lane[Question, Answer]) -> None:
        is_holding = True
        taken: _Waiting[Question, Answer] = {}

        def let_go() -> None:
            nonlocal is_holding
            if is_holding:
                is_holding = lane.is_held = False
            self._begin_if_free(name, lane)

        try:
            async with self._place(name):
                taken = self._take(lane)
                if self._calls_max == 1:
                    await self._answer(lane, taken)
                else:
                    slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, let_go)
                    try:
                        await self._answer(lane, taken)
                    finally:
                        slow.cancel()
        # `place` raised an error. If no question was taken yet, all waiting questions of the lane fail with it.
        except Exception as error:  # noqa: BLE001  those who asked get it
            _fail(taken or self._take(lane), error)
        except asyncio.CancelledError:
            _cancel(taken)
            raise
        finally:
            lane.calls -= 1
            let_go()

    def _take(self, lane: _Lane[Question, Answer]) -> _Waiting[Question, Answer]:
        """Remove and return the questions of the next call."""
        waiting, lane.waiting = lane.waiting, {}
        taken = {
            question: answers for question, answers in waiting.items() if not all(answer.done() for answer in answers)
        }
        if len(taken) > self._each:
            turns: Counter[Hashable] = Counter()
            turn_of: dict[Question, int] = {}
            for question in taken:
                owner = self._owner_of(question)
                turns[owner] += 1
                turn_of[question] = turns[owner]
            each = self._each if len(turns) > 1 else self._most
            # The order of arrival is kept within a turn, and for those who wait on.
            in_turns = sorted((question for question in taken if turn_of[question] <= each), key=turn_of.__getitem__)
            chosen = {*in_turns[: self._most]}
            lane.waiting = {question: answers for question, answers in taken.items() if question not in chosen}
            taken = {question: answers for question, answers in taken.items() if question in chosen}
        return taken

    async def _answer(self, lane: _Lane[Question, Answer], taken: _Waiting[Question, Answer]) -> None:
        if not taken:
            return
        questions = [*taken]
        try:
            found = await self._call(questions)
        except Unavailable as error:
            _fail(taken, error)
        # Safe, because the error is not swallowed: those who asked get it.
        except Exception as error:  # noqa: BLE001
            if len(questions) == 1:
                _fail(taken, error)
                return
            middle = len(questions) // 2
            for half in questions[:middle], questions[middle:]:
                await self._answer(lane, {question: taken[question] for question in half})
        else:
            for question, answers in taken.items():
                result = found.get(question)
                if isinstance(result, Again):
                    lane.waiting.setdefault(question, []).extend(answers)
                    continue
                for answer in answers:
                    if not answer.done():
                        answer.set_result(result)


def _fail(waiting: _Waiting[Question, Answer], error: Exception) -> None:
    for answer in chain.from_iterable(waiting.values()):
        if not answer.done():
            answer.set_exception(error)
            # Mark the error as seen. asyncio would log it if every request was cancelled.
            answer.exception()


def _cancel(waiting: _Waiting[Question, Answer]) -> None:
    for answer in chain.from_iterable(waiting.values()):
        answer.cancel()
