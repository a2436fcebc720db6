"""The writer. For each lane (the queue of creates of one workspace), a task sends batches to the database and returns
the outcomes.

Every call for a workspace takes the workspace lock and holds it until its commit is on the disk. So creates in separate
calls wait for each other's disk writes; creates that share a call wait for one. There is no timer: if no call of the
workspace is running, a create is sent at once, and creates that arrive during a call share the next one. So a single
create is a batch of one. Calls of different workspaces run at the same time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from adapters.postgres.writer.lane import Lane, Pending
from adapters.postgres.writer.retry import Pause, Retries
from domain.ids import WorkspaceId
from ports.outcomes import CreateOutcome
from ports.system import Unavailable

GIVE_UP_SECONDS = 7.0
"""The longest time a create is retried for a caller without a time limit. A request has less time and cancels its wait
itself."""

Call = Callable[[WorkspaceId, Sequence[Pending]], Awaitable[Sequence[CreateOutcome]]]
"""Record creates of one workspace in one transaction, and return one outcome each, in their order. No two of them have
the same idempotency key or storage path.

Raises `Unavailable` if a retry may succeed. Any other error means that nothing was written and never will be.
"""


class BatchedWriter:
    """Sends creates to the database in batches, one call of a workspace at a time."""

    def __init__(self, call: Call, pause: Pause = asyncio.sleep, give_up_seconds: float = GIVE_UP_SECONDS) -> None:
        self._call = call
        self._pause = pause
        self._give_up_seconds = give_up_seconds
        self._lanes: dict[WorkspaceId, Lane] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    async def record(self, create: Pending) -> CreateOutcome:
        """Return the outcome of a create. If this wait is cancelled, a create that is still in the lane is dropped, but
        a running call is not cancelled.

        Raises:
            Unavailable: the lane is full or the writer is closed, so nothing was written. Or the create was retried for
                7 s, and may have been written.
        """
        if self._closed:
            raise Unavailable("the writer is closed")
        loop = asyncio.get_running_loop()
        create = self._lane(create.document.workspace_id).add(create, loop.time())
        # A later request that joins this create may wait longer.
        create.give_up_at = loop.time() + self._give_up_seconds
        waiter: asyncio.Future[CreateOutcome] = loop.create_future()
        create.waiters.append(waiter)
        return await waiter

    async def aclose(self) -> None:
        """Refuse new creates from now on, and return once all earlier creates have an outcome."""
        self._closed = True
        while self._running:
            await asyncio.wait(self._running)

    def _lane(self, workspace: WorkspaceId) -> Lane:
        """Return the lane of the workspace. A task drives it as long as a create waits in it."""
        lane = self._lanes.get(workspace)
        if lane is None:
            lane = self._lanes[workspace] = Lane()
            task = asyncio.create_task(self._drive(workspace, lane))
            # Keep a reference: the event loop has only weak references to tasks.
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return lane

    async def _drive(self, workspace: WorkspaceId, lane: Lane) -> None:
        now = asyncio.get_running_loop().time
        retries = Retries(workspace, lane, self._pause)
        batch: list[Pending] = []
        try:
            while batch := lane.next_batch(now()):
                try:
                    outcomes = await self._call(workspace, batch)
                except Unavailable as error:
                    await retries.retry(batch, error)
                # Catching every error is safe here, because the request whose create caused the error gets it.
                except Exception as error:  # noqa: BLE001
                    retries.isolate(batch, error)
                else:
                    retries.succeeded()
                    for create, outcome in zip(batch, outcomes, strict=True):
                        create.settle(outcome)
                        lane.forget(create)
        finally:
            # If the lane was empty, no create can have arrived since, because nothing was awaited. If anything else has
            # ended this task, the remaining creates must not wait for ever.
            del self._lanes[workspace]
            for create in (*batch, *lane):
                create.fail(Unavailable("the writer was stopped"))
