"""The writer: one task for each lane sends its batches and settles their outcomes.

Every create of a workspace takes the workspace lock and holds it until its commit is on the disk. One at a time,
creates wait for each other's disk; together they wait once. There is no timer: a create goes at once if no call of its
workspace is under way, and creates that arrive during a call share the next one. So a lone create is a batch of one, on
the same path. Calls of different workspaces run side by side.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from adapters.postgres.writer.lane import Lane, Pending
from adapters.postgres.writer.retry import Pause, Retries
from domain.ids import WorkspaceId
from ports.outcomes import CreateOutcome
from ports.system import Unavailable

GIVE_UP_SECONDS = 7.0
"""How long a create is retried for a caller without a limit. A request has less time, and cancels its wait itself."""

Call = Callable[[WorkspaceId, Sequence[Pending]], Awaitable[Sequence[CreateOutcome]]]
"""Record creates of one workspace in one transaction, and return one outcome each, in their order. No two of them have
one idempotency key or one storage path.

Raises `Unavailable` if a retry may succeed. Any other error means that nothing was written and never will be.
"""


class BatchedWriter:
    """Batches creates into calls, one call of a workspace at a time."""

    def __init__(self, call: Call, pause: Pause = asyncio.sleep, give_up_seconds: float = GIVE_UP_SECONDS) -> None:
        self._call = call
        self._pause = pause
        self._give_up_seconds = give_up_seconds
        self._lanes: dict[WorkspaceId, Lane] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    async def record(self, create: Pending) -> CreateOutcome:
        """Return the outcome of a create. Cancelling this wait cancels no call; a create that still waits is dropped.

        Raises:
            Unavailable: the queue is full or the writer is closed, so nothing was written. Or the create was retried
                for 7 s: whether it was written is not known.
        """
        if self._closed:
            raise Unavailable("the writer is closed")
        loop = asyncio.get_running_loop()
        create = self._lane(create.document.workspace_id).add(create, loop.time())
        # A twin that arrives later may wait longer.
        create.give_up_at = loop.time() + self._give_up_seconds
        waiter: asyncio.Future[CreateOutcome] = loop.create_future()
        create.waiters.append(waiter)
        return await waiter

    async def aclose(self) -> None:
        """Refuse new creates from now on, and return once all earlier ones are settled."""
        self._closed = True
        while self._running:
            await asyncio.wait(self._running)

    def _lane(self, workspace: WorkspaceId) -> Lane:
        """Return the lane of the workspace. A task drives it as long as a create waits in it."""
        lane = self._lanes.get(workspace)
        if lane is None:
            lane = self._lanes[workspace] = Lane()
            task = asyncio.create_task(self._drive(workspace, lane))
            # The event loop itself holds only weak references to tasks.
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
                # Safe, because the error is not swallowed: the request whose create causes it gets it.
                except Exception as error:  # noqa: BLE001
                    retries.isolate(batch, error)
                else:
                    retries.succeeded()
                    for create, outcome in zip(batch, outcomes, strict=True):
                        create.settle(outcome)
                        lane.forget(create)
        finally:
            # Nothing was awaited since the lane was found empty, so no create can have arrived in between. If anything
            # else has ended this task, the remaining creates must not wait for ever.
            del self._lanes[workspace]
            for create in (*batch, *lane):
                create.fail(Unavailable("the writer was stopped"))
