"""The sharing of the event loop between workspaces, so that many requests of one do not delay those of another.

The event loop runs a request in *slices*, each from one wait to the next, and in each of its rounds it runs every slice
that is ready. If 200 reads of one workspace become ready together, that round takes 20 ms or more. A create takes about
ten rounds, so it would wait for many such rounds.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Generator, Hashable
from types import coroutine
from typing import Any

FEW = 8
"""The most requests of a workspace that must not be delayed by those of others."""

EACH = 1
"""The most slices of one workspace in a round of the event loop, while another active workspace has few requests."""

AFTERWARDS = 50
"""The number of rounds for which a workspace is active after its last slice: about ten milliseconds.

A client that sends one request after the other may send its next one in that time. But if a request waits for longer,
as for a slow client, the workspaces with many requests must not wait with it.
"""

TOGETHER = 32
"""The most slices in a round otherwise. Without a limit, the first request of another workspace would be delayed.

Smaller rounds divide a burst of creates, so fewer of them share a call of the database. With 16 slices, a create took a
tenth more processor time in a workspace with 32 connections. With one slice each, it took a third more in two
workspaces with 64 connections.
"""


class FairSlices:
    """Runs the slices of requests, and limits how many of one workspace run in a round of the event loop.

    The limit is `each` while an active workspace has at most `few` requests beside another active one. Otherwise, the
    active workspaces share `together` slices. The slices over the limit wait in order for one of the next rounds.

    The slices of a workspace wait only for earlier ones of the same workspace. A request that waits for the database, a
    lock, an object store or its client keeps no place, so it holds up no other request. A workspace whose requests are
    no more than the limit is never delayed.
    """

    def __init__(
        self, few: int = FEW, each: int = EACH, afterwards: int = AFTERWARDS, together: int = TOGETHER
    ) -> None:
        self._few = few
        self._each = each
        self._afterwards = afterwards
        self._together = together
        self._by_workspace: dict[Hashable, _Requests] = {}
        # The number of this round. Rounds are counted only while slices are: without a limit, they make no difference.
        self._round = 0
        # The workspaces that have requests and ran a slice in the last `afterwards` rounds, in the order of the rounds
        # of their last slices, and how many of them have few.
        self._active: OrderedDict[_Requests, None] = OrderedDict()
        self._with_few = 0
        # The last round whose limit is `each` because a workspace has ended its last request.
        self._each_until = -1
        # The workspaces whose slices are counted in this round.
        self._counted: set[_Requests] = set()
        # The workspaces of the requests that have ended in this round without a wait.
        self._brief: list[Hashable] = []

    @coroutine
    def run(self, workspace: Hashable, request: Awaitable[None]) -> Generator[Any, Any, None]:
        """Run a request of a workspace to its end. Errors and cancellations pass through."""
        requests = self._enter(workspace)
        slices = request.__await__()
        error: BaseException | None = None
        has_waited = False
        try:
            while True:
                if requests.number > self._each and not self._may_run_now(requests):
                    has_waited = True
                    try:
                        yield from self._turn(requests)
                    except asyncio.CancelledError as cancelled:
                        error = cancelled
                if requests.last_round != self._round:
                    self._note_slice(requests)
                try:
                    awaited = slices.send(None) if error is None else slices.throw(error)
                except StopIteration:
                    return
                error = None
                has_waited = True
                try:
                    yield awaited
                # Safe, because the request gets the failure of its wait, or its own cancellation, in its next slice.
                except (Exception, asyncio.CancelledError) as failed:  # noqa: BLE001
                    error = failed
        finally:
            slices.close()
            if has_waited:
                self._leave(workspace)
            else:
                self._leave_later(workspace)

    def _enter(self, workspace: Hashable) -> "_Requests":
        requests = self._by_workspace.get(workspace)
        if requests is None:
            requests = self._by_workspace[workspace] = _Requests(self._round)
            self._active[requests] = None
            self._with_few += 1
        requests.number += 1
        if requests.number == self._few + 1 and requests in self._active:
            self._with_few -= 1
        return requests

    def _leave(self, workspace: Hashable) -> None:
        requests = self._by_workspace[workspace]
        requests.number -= 1
        if requests.number == self._few and requests in self._active:
            self._with_few += 1
        if not requests.number:
            del self._by_workspace[workspace]
            if requests in self._active:
                self._end_activity(requests)
                if self._active:
                    self._each_until = requests.last_round + self._afterwards

    def _note_slice(self, requests: "_Requests") -> None:
        """Note the first slice of a workspace in this round."""
        requests.last_round = self._round
        if requests not in self._active:
            self._active[requests] = None
            self._with_few += requests.number <= self._few
        self._active.move_to_end(requests)

    def _end_activity(self, requests: "_Requests") -> None:
        del self._active[requests]
        self._with_few -= requests.number <= self._few

    def _leave_later(self, workspace: Hashable) -> None:
        """Count a request until its round ends. Otherwise any number of them could run in one round, such as 429s."""
        if not self._brief:
            asyncio.get_running_loop().call_soon(self._forget_brief)
        self._brief.append(workspace)

    def _forget_brief(self) -> None:
        brief, self._brief = self._brief, []
        for workspace in brief:
            self._leave(workspace)

    @property
    def _limit(self) -> int:
        """The most slices of a workspace in this round."""
        if self._round <= self._each_until or (self._with_few and len(self._active) > 1):
            return self._each
        # None is active if all requests have ended, or if none has run a slice for a while.
        return max(self._each, self._together // max(1, len(self._active)))

    def _may_run_now(self, requests: "_Requests") -> bool:
        """Return whether a slice may run in this round. Count it, unless all requests of the workspace may."""
        if requests.number <= self._limit:
            return True
        if requests not in self._counted:
            if not self._counted:
                asyncio.get_running_loop().call_soon(self._start_round)
            self._counted.add(requests)
            requests.left = self._limit
        if not requests.left:
            return False
        requests.left -= 1
        return True

    def _turn(self, requests: "_Requests") -> "asyncio.Future[None]":
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        requests.waiting.append(turn)
        return turn

    def _start_round(self) -> None:
        """Let the slices that wait longest run in the round that begins."""
        self._round += 1
        while self._active and (oldest := next(iter(self._active))).last_round < self._round - self._afterwards:
            self._end_activity(oldest)
        counted, self._counted = self._counted, set()
        for requests in counted:
            if not requests.waiting:
                continue
            requests.left = self._limit
            while requests.left and requests.waiting:
                turn = requests.waiting.popleft()
                # The turn of a request that was cancelled is done.
                if not turn.done():
                    turn.set_result(None)
                    requests.left -= 1
            self._counted.add(requests)
        if self._counted:
            asyncio.get_running_loop().call_soon(self._start_round)


class _Requests:
    """The requests of a workspace.

    `number` is how many there are. `last_round` is the round of the last slice. `left` is how many slices may still run
    in this round. `waiting` are the turns of the slices that wait.
    """

    __slots__ = ("last_round", "left", "number", "waiting")

    def __init__(self, last_round: int) -> None:
        self.number = 0
        self.last_round = last_round
        self.left = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
