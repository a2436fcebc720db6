"""The write: creates of one workspace that wait at the same time share one call, and so one commit.

Every create of a workspace takes the lock of its usage row and holds it until the commit is on the disk. One at a time,
they wait for each other's disk; together they wait once. Nothing waits for company: a create that finds no call of its
workspace under way goes at once, and what comes while one is under way goes with the next. So a lone create is a batch
of one, by the same path. Calls of different workspaces run side by side.

What fails goes again, because a cut-off call may have committed, or may commit yet: only the database can tell, and
asking it to record the same documents, with the same ids, is how it is asked (`DocumentRepository.create`).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from domain.documents import Document
from domain.ids import WorkspaceId
from ports.intents import Intent
from ports.outcomes import Created, CreateOutcome, Replayed
from ports.system import Unavailable

log = logging.getLogger("dossier.postgres")

ROWS_MAX = 128
BYTES_MAX = 2**20
"""What one call carries at most, in rows and in bytes of them."""

QUEUE_MAX = 1024
"""Rows that wait for one workspace: eight calls. One workspace's queue takes nothing from another's."""

GIVE_UP_SECONDS = 7.0
"""How long a create is tried for a caller who sets no limit. A request has less time, and cancels its wait itself."""

TOGETHER_MAX = 2
"""Failures after which a row goes alone: should it be what fails, it fails alone."""

PAUSE_SECONDS = 0.05
PAUSE_MAX_SECONDS = 0.5

Pause = Callable[[float], Awaitable[object]]


@dataclass(slots=True, eq=False)
class Pending:
    """A create that is not settled: the document, `record` as the call wants it, and all who wait for the outcome.

    The first who waits is the one who sent it, the others are twins: the same intent, sent at the same time.
    """

    document: Document
    intent: Intent
    record: bytes
    give_up_at: float = 0.0
    failures: int = 0
    waiters: list["asyncio.Future[CreateOutcome]"] = field(default_factory=list)

    def is_awaited(self) -> bool:
        """Whether anybody still wants the outcome: everybody may have been cancelled."""
        return not all(waiter.done() for waiter in self.waiters)

    def settle(self, outcome: CreateOutcome) -> None:
        """Tell everybody. To a twin, what the first has just created is a replay."""
        to_twin = Replayed(outcome.document) if isinstance(outcome, Created) else outcome
        for number, waiter in enumerate(self.waiters):
            if not waiter.done():
                waiter.set_result(outcome if number == 0 else to_twin)

    def fail(self, error: Exception) -> None:
        """Tell everybody that it is not known, or cannot be."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(error)


Call = Callable[[WorkspaceId, Sequence[Pending]], Awaitable[Sequence[CreateOutcome]]]
"""Record rows of one workspace, no two of one key or one path, in one transaction: one outcome a row, in their order.

Raises `Unavailable` when it may work later; anything else means that nothing was written and never will be.
"""


class _Lane:
    """What waits for one workspace, in the order it came, but for rows that have failed or depend on another."""

    def __init__(self) -> None:
        self.waiting: deque[Pending] = deque()
        # By intent, from when it came until it is settled or dropped: its twins wait for it.
        self.keyed: dict[tuple[str, str, bytes], Pending] = {}

    def next_batch(self, now: float) -> list[Pending]:
        """The rows that go now: all that wait, or one alone that has failed too often in company.

        One whose key or path goes already waits on: what becomes of it depends on that one.
        """
        self.drop_ended(now)
        if self.waiting and self.waiting[0].failures >= TOGETHER_MAX:
            return [self.waiting.popleft()]
        batch: list[Pending] = []
        later: deque[Pending] = deque()
        keys: set[str | None] = set()
        paths: set[str] = set()
        size = 0
        while self.waiting and len(batch) < ROWS_MAX:
            row = self.waiting.popleft()
            clashes = row.intent.idempotency_key in keys or row.document.storage_path in paths
            if clashes or row.failures >= TOGETHER_MAX:
                later.append(row)
            elif batch and size + len(row.record) > BYTES_MAX:
                later.append(row)
                break
            else:
                batch.append(row)
                size += len(row.record)
                paths.add(row.document.storage_path)
                if row.intent.idempotency_key is not None:
                    keys.add(row.intent.idempotency_key)
        self.waiting.extendleft(reversed(later))
        return batch

    def drop_ended(self, now: float) -> None:
        """Forget the rows that nobody waits for any more, and give up those whose time is over."""
        kept: deque[Pending] = deque()
        for row in self.waiting:
            if now >= row.give_up_at:
                row.fail(Unavailable(f"not recorded in time, after {row.failures} failures"))
            if row.is_awaited():
                kept.append(row)
            else:
                self.forget(row)
        self.waiting = kept

    def put_back(self, batch: Sequence[Pending]) -> None:
        """Let what has failed go again: company at once, and whoever failed alone after all others."""
        if len(batch) > 1:
            self.waiting.extendleft(reversed(batch))
        else:
            self.waiting.extend(batch)

    def forget(self, row: Pending) -> None:
        """Take no more twins in."""
        if (intent := _identity(row.intent)) is not None and self.keyed.get(intent) is row:
            del self.keyed[intent]


class BatchedWriter:
    """Gathers creates into calls, and goes again with what failed."""

    def __init__(self, call: Call, pause: Pause = asyncio.sleep, give_up_seconds: float = GIVE_UP_SECONDS) -> None:
        self._call = call
        self._pause = pause
        self._give_up_seconds = give_up_seconds
        self._lanes: dict[WorkspaceId, _Lane] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    async def record(self, row: Pending) -> CreateOutcome:
        """What became of the row. Cancelling the wait cancels no call; a row that waits for its turn then has none.

        Raises:
            Unavailable: the queue is full, or the writer closed: nothing was written. Or it was tried for 7 s: whether
                it was written is not known.
        """
        if self._closed:
            raise Unavailable("the writer is closed")
        loop = asyncio.get_running_loop()
        lane = self._lane(row.document.workspace_id)
        intent = _identity(row.intent)
        if intent is not None and (twin := lane.keyed.get(intent)) is not None:
            row = twin
        else:
            if len(lane.waiting) >= QUEUE_MAX:
                lane.drop_ended(loop.time())
            if len(lane.waiting) >= QUEUE_MAX:
                raise Unavailable(f"{QUEUE_MAX} creates of {row.document.workspace_id} wait already")
            lane.waiting.append(row)
            if intent is not None:
                lane.keyed[intent] = row
        # A twin that came later may wait longer.
        row.give_up_at = loop.time() + self._give_up_seconds
        waiter: asyncio.Future[CreateOutcome] = loop.create_future()
        row.waiters.append(waiter)
        return await waiter

    async def aclose(self) -> None:
        """Refuse what comes from now on, and return once everything that came before is settled."""
        self._closed = True
        while self._running:
            await asyncio.wait(self._running)

    def _lane(self, workspace: WorkspaceId) -> _Lane:
        """The lane of the workspace, driven as long as anything waits in it."""
        lane = self._lanes.get(workspace)
        if lane is None:
            lane = self._lanes[workspace] = _Lane()
            task = asyncio.create_task(self._drive(workspace, lane))
            # The loop itself holds tasks weakly.
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return lane

    async def _drive(self, workspace: WorkspaceId, lane: _Lane) -> None:
        now = asyncio.get_running_loop().time
        failures = 0
        batch: list[Pending] = []
        try:
            while batch := lane.next_batch(now()):
                try:
                    outcomes = await self._call(workspace, batch)
                except Unavailable as error:
                    failures += 1
                    log.warning("%s: %d creates failed and go again: %s", workspace, len(batch), error)
                    for row in batch:
                        row.failures += 1
                    lane.put_back(batch)
                    # The first failure is most often a connection that was cut: another one is at hand.
                    if failures > 1:
                        await self._pause(min(PAUSE_SECONDS * 2 ** min(failures - 2, 10), PAUSE_MAX_SECONDS))
                # Not passed over: whoever sent the row gets it, once it is known which row that is.
                except Exception as error:  # noqa: BLE001
                    if len(batch) == 1:
                        batch[0].fail(error)
                        lane.forget(batch[0])
                    else:
                        for row in batch:
                            row.failures = TOGETHER_MAX
                        lane.put_back(batch)
                else:
                    failures = 0
                    for row, outcome in zip(batch, outcomes, strict=True):
                        row.settle(outcome)
                        lane.forget(row)
        finally:
            # Nothing was awaited since the lane was found empty: nobody can have put anything in. Should anything else
            # have ended this, nobody waits for what never comes.
            del self._lanes[workspace]
            for row in (*batch, *lane.waiting):
                row.fail(Unavailable("the writer was stopped"))


def _identity(intent: Intent) -> tuple[str, str, bytes] | None:
    """What twins have in common; nothing without an Idempotency-Key."""
    return None if intent.idempotency_key is None else (intent.idempotency_key, intent.operation, intent.fingerprint)
