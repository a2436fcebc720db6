"""The writer. It sends the writes of each lane to the database in batches, and returns the outcomes.

Every write of a workspace takes the workspace lock and holds it until its commit is on the disk. One at a time,
writes wait for each other's disk; together they wait once. There is no timer: a write goes at once if no call of its
lane is under way, and writes that arrive during a call share the next one. So a lone write is a batch of one, on the
same path. Calls of different lanes run side by side.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic

from adapters.postgres.writer.lane import Lane, Outcome, Write
from adapters.postgres.writer.retry import Pause, Retries
from ports.system import Unavailable

GIVE_UP_SECONDS = 7.0
"""How long a write is retried for a caller without a limit. A request has less time, and cancels its wait itself."""

SLOW_SECONDS = 0.02
"""How long a call of a lane of many workspaces keeps the next one back. Then the next one starts beside it."""

CALLS_MAX = 2
"""The most calls of one lane at the same time."""

Call = Callable[[Sequence[Write]], Awaitable[Sequence[Outcome]]]
"""Make writes in one transaction, and return one outcome each, in their order. No two writes of a workspace have one
idempotency key or one storage path.

Raises `Unavailable` if a retry may succeed, and its subclass `NotBegun` if no write can have caused the failure. Any
other error means that nothing was written and never will be.
"""


def by_workspace(write: Write) -> Hashable:
    """Return the name of a lane for each workspace."""
    return write.workspace


def shared(_: Write) -> Hashable:
    """Return the name of the one lane of all workspaces."""
    return "writes of all workspaces"


class BatchedWriter(Generic[Write, Outcome]):
    """Batches writes of one kind into calls. `lane_of` says which lane a write waits in.

    `slow_seconds`: after this time, a call no longer keeps back the next one of its lane. By default it always does.
    """

    def __init__(
        self,
        call: Call[Write, Outcome],
        lane_of: Callable[[Write], Hashable] = by_workspace,
        pause: Pause = asyncio.sleep,
        give_up_seconds: float = GIVE_UP_SECONDS,
        slow_seconds: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call = call
        self._lane_of = lane_of
        self._pause = pause
        self._give_up_seconds = give_up_seconds
        self._slow_seconds = slow_seconds
        self._now = now
        self._lanes: dict[Hashable, _DrivenLane[Write]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    def has_lane(self, name: Hashable) -> bool:
        """Return whether writes wait, or are under way, in the lane of this name."""
        return name in self._lanes

    async def send(self, write: Write) -> Outcome:
        """Return the outcome of a write. Cancelling this wait cancels no call; a write that still waits is dropped.

        Raises:
            Unavailable: the queue is full or the writer is closed, so nothing was written. Or the write was retried
                for 7 s: whether it was written is not known.
        """
        if self._closed:
            raise Unavailable("the writer is closed")
        now = self._now()
        name = self._lane_of(write)
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _DrivenLane(name, self._pause)
        # A write that another lane has sent back keeps its time.
        give_up_at = write.give_up_at = write.give_up_at or now + self._give_up_seconds
        write = lane.add(write, now)
        # A twin that arrives later may wait longer.
        write.give_up_at = max(write.give_up_at, give_up_at)
        waiter: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        write.waiters.append(waiter)
        self._start_if_free(lane)
        return await waiter

    async def aclose(self) -> None:
        """Refuse new writes from now on, and return once all earlier ones are settled."""
        self._closed = True
        while self._running:
            await asyncio.wait(self._running)

    def _start_if_free(self, lane: "_DrivenLane[Write]") -> None:
        """Start a task that drives the lane if all its tasks wait for slow calls, and there is room for another."""
        if lane.slow == lane.drivers < CALLS_MAX:
            lane.drivers += 1
            task = asyncio.create_task(self._drive(lane))
            # Keep a reference: the event loop has only weak references to tasks.
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _drive(self, lane: "_DrivenLane[Write]") -> None:
        batch: list[Write] = []
        try:
            # A driver whose call was slow ends if another one has taken its place.
            while lane.drivers == lane.slow + 1 and (batch := lane.next_batch(self._now())):
                await self._send(lane, batch)
                batch = []
        finally:
            lane.drivers -= 1
            left = batch
            if not lane.drivers:
                # Nothing was awaited since the lane was found empty, so no write can have arrived in between. If
                # anything else has ended this task, the remaining writes must not wait for ever.
                del self._lanes[lane.name]
                left = [*batch, *lane]
            for write in left:
                write.fail(Unavailable("the writer was stopped"))

    async def _send(self, lane: "_DrivenLane[Write]", batch: Sequence[Write]) -> None:
        try:
            with self._under_way(lane, batch):
                outcomes = await self._call(batch)
        except Unavailable as error:
            # Another driver goes on while this one pauses.
            is_spare = lane.drivers > lane.slow + 1
            lane.slow += is_spare
            try:
                await lane.retries.retry(batch, error)
            finally:
                lane.slow -= is_spare
        # Safe, because the error is not swallowed: the request whose write causes it gets it.
        except Exception as error:  # noqa: BLE001
            lane.retries.isolate(batch, error)
        else:
            lane.retries.succeeded()
            for write, outcome in zip(batch, outcomes, strict=True):
                write.settle(outcome)
                lane.forget(write)

    @contextmanager
    def _under_way(self, lane: "_DrivenLane[Write]", batch: Sequence[Write]) -> Iterator[None]:
        """Keep the next call of the lane back during the block, or until the block has taken `slow_seconds`. Keep the
        next writes of the same workspaces back during the whole block.
        """
        if self._slow_seconds is None:
            yield
            return
        workspaces = {write.workspace for write in batch}
        is_slow = False

        def become_slow() -> None:
            nonlocal is_slow
            is_slow = True
            lane.slow += 1
            if lane:
                self._start_if_free(lane)

        lane.in_flight |= workspaces
        timer = asyncio.get_running_loop().call_later(self._slow_seconds, become_slow)
        try:
            yield
        finally:
            timer.cancel()
            lane.slow -= is_slow
            lane.in_flight -= workspaces


class _DrivenLane(Lane[Write]):
    """A lane, and the tasks that drive it: `slow` of the `drivers` wait for a slow call."""

    def __init__(self, name: Hashable, pause: Pause) -> None:
        super().__init__()
        self.name = name
        self.retries = Retries(name, self, pause)
        self.drivers = 0
        self.slow = 0
