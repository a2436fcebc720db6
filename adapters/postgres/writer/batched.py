"""The writer. For each lane (the queue of creates of one workspace), a task sends batches to the database and returns
the outcomes.

Every write of a workspace takes the workspace lock and holds it until its commit is on the disk. One at a time,
writes wait for each other's disk; together they wait once. There is no timer: a write goes at once if no call of its
kind and workspace is under way, and writes that arrive during a call share the next one. So a lone write is a batch of
one, on the same path. Calls of different workspaces run side by side.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic

from adapters.postgres.writer.lane import Lane, Outcome, Write
from adapters.postgres.writer.retry import Pause, Retries
from domain.ids import WorkspaceId
from ports.system import Unavailable

GIVE_UP_SECONDS = 7.0
"""How long a write is retried for a caller without a limit. A request has less time, and cancels its wait itself."""

Call = Callable[[WorkspaceId, Sequence[Write]], Awaitable[Sequence[Outcome]]]
"""Make writes of one workspace in one transaction, and return one outcome each, in their order. No two of them have one
idempotency key or one storage path.

Raises `Unavailable` if a retry may succeed, and its subclass `NotBegun` if no write can have caused the failure. Any
other error means that nothing was written and never will be.
"""


class BatchedWriter(Generic[Write, Outcome]):
    """Batches writes of one kind into calls, one call of a workspace at a time."""

    def __init__(
        self,
        call: Call[Write, Outcome],
        pause: Pause = asyncio.sleep,
        give_up_seconds: float = GIVE_UP_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call = call
        self._pause = pause
        self._give_up_seconds = give_up_seconds
        self._now = now
        self._lanes: dict[WorkspaceId, Lane[Write]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    async def send(self, write: Write) -> Outcome:
        """Return the outcome of a write. Cancelling this wait cancels no call; a write that still waits is dropped.

        Raises:
            Unavailable: the queue is full or the writer is closed, so nothing was written. Or the write was retried
                for 7 s: whether it was written is not known.
        """
        if self._closed:
            raise Unavailable("the writer is closed")
        now = self._now()
        write = self._lane(write.workspace).add(write, now)
        # A twin that arrives later may wait longer.
        write.give_up_at = now + self._give_up_seconds
        waiter: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        write.waiters.append(waiter)
        return await waiter

    async def aclose(self) -> None:
        """Refuse new writes from now on, and return once all earlier ones are settled."""
        self._closed = True
        while self._running:
            await asyncio.wait(self._running)

    def _lane(self, workspace: WorkspaceId) -> Lane[Write]:
        """Return the lane of the workspace. A task drives it as long as a write waits in it."""
        lane = self._lanes.get(workspace)
        if lane is None:
            lane = self._lanes[workspace] = Lane()
            task = asyncio.create_task(self._drive(workspace, lane))
            # Keep a reference: the event loop has only weak references to tasks.
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return lane

    async def _drive(self, workspace: WorkspaceId, lane: Lane[Write]) -> None:
        retries = Retries(workspace, lane, self._pause)
        batch: list[Write] = []
        try:
            while batch := lane.next_batch(self._now()):
                try:
                    outcomes = await self._call(workspace, batch)
                except Unavailable as error:
                    await retries.retry(batch, error)
                # Safe, because the error is not swallowed: the request whose write causes it gets it.
                except Exception as error:  # noqa: BLE001
                    retries.isolate(batch, error)
                else:
                    retries.succeeded()
                    for write, outcome in zip(batch, outcomes, strict=True):
                        write.settle(outcome)
                        lane.forget(write)
        finally:
            # Nothing was awaited since the lane was found empty, so no write can have arrived in between. If anything
            # else has ended this task, the remaining writes must not wait for ever.
            del self._lanes[workspace]
            for write in (*batch, *lane):
                write.fail(Unavailable("the writer was stopped"))
