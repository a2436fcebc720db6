"""A lane holds waiting writes of one kind and decides which of them share the next call."""

import asyncio
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Generic, TypeVar

from adapters.postgres.writer.cost import COST_MAX, ROW_COST, SHARED_COST_MAX
from adapters.postgres.writer.fair_queue import FairQueue
from domain.ids import WorkspaceId
from domain.paths import StoragePath
from ports.intents import Intent
from ports.system import Unavailable

ROWS_MAX = 128
"""The most rows of one call. `cost.py` has the other limit."""

COST_SHARE = COST_MAX // ROWS_MAX
"""The most cost of a cheap row: 128 of them fit into a call of one workspace."""

LANE_MAX = 1024
"""The most writes of one workspace that wait in a lane: eight calls."""

FRESH_CALLS = LANE_MAX // ROWS_MAX
"""The number of calls without a suspect after which suspects go, although other writes wait: a full lane."""


Outcome = TypeVar("Outcome")


@dataclass(slots=True, eq=False)
class Pending(Generic[Outcome]):
    """A write without an outcome: its storage path, its JSON for the call, and the requests that wait for the outcome.

    `cost`: the estimated time that it adds to a call, in microseconds. `give_up_at`: when it is no longer tried. If it
    is 0, the writer sets it. `failures`: the number of its calls that failed. `together`: the most rows of a call that
    it may share, which is less than `ROWS_MAX` for a suspect.

    The first waiter is the request that sent it. The others are its twins: requests with the same idempotency
    key, operation and fingerprint that arrived later. A write without an idempotency key has none.
    """

    workspace: WorkspaceId
    path: StoragePath
    record: bytes
    intent: Intent | None = None
    cost: int = ROW_COST
    give_up_at: float = 0.0
    failures: int = 0
    together: int = ROWS_MAX
    waiters: "list[asyncio.Future[Outcome]]" = field(default_factory=list)

    @property
    def is_suspect(self) -> bool:
        return self.together < ROWS_MAX

    @property
    def is_awaited(self) -> bool:
        """Whether a request still waits for the outcome. All waiting requests may have been cancelled."""
        return not all(waiter.done() for waiter in self.waiters)

    @property
    def idempotency_key(self) -> str | None:
        return None if self.intent is None else self.intent.idempotency_key

    @property
    def identity(self) -> Hashable | None:
        """Workspace, idempotency key, operation and fingerprint, by which twins recognise each other. `None` without an
        idempotency key.
        """
        if self.intent is None or self.intent.idempotency_key is None:
            return None
        return self.workspace, self.intent.idempotency_key, self.intent.operation, self.intent.fingerprint

    def settle(self, outcome: Outcome) -> None:
        """Give every waiter the outcome, and every twin what it means for a twin."""
        for number, waiter in enumerate(self.waiters):
            if not waiter.done():
                waiter.set_result(outcome if number == 0 else self.to_twin(outcome))

    def to_twin(self, outcome: Outcome) -> Outcome:
        """Return what the outcome means for a twin."""
        return outcome

    def fail(self, error: Exception) -> None:
        """Raise the error in every waiter."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(error)


Write = TypeVar("Write", bound=Pending[Any])


class Lane(Generic[Write]):
    """The waiting writes of one workspace, or of many that take turns. The writes of a workspace go in the order of
    arrival, except for retries and dependent writes.

    Writes whose call failed are suspects: one of them may have caused the failure. They go in smaller calls, and after
    the fresh writes.
    """

    def __init__(self) -> None:
        self._fresh: FairQueue[Write] = FairQueue()
        self._suspects: FairQueue[Write] = FairQueue()
        # The most fresh rows of the next call: half as many after each failure, twice as many after each success.
        self._rows = ROWS_MAX
        # The number of calls of fresh writes for which the suspects have waited.
        self._fresh_calls = 0
        self.in_flight: set[WorkspaceId] = set()
        """The workspaces with a call under way. Their writes wait for its end, because it holds their locks."""
        # From its arrival until it is settled or dropped, each write with an idempotency key takes in its twins.
        self._by_identity: dict[Hashable, Write] = {}

    def __len__(self) -> int:
        return len(self._fresh) + len(self._suspects)

    def __iter__(self) -> Iterator[Write]:
        return chain(self._fresh, self._suspects)

    def add(self, write: Write, now: float) -> Write:
        """Let a write wait, and return it, or its twin: the write with the same identity that waits already.

        Raises:
            Unavailable: the lane is full.
        """
        identity = write.identity
        if identity is not None and (twin := self._by_identity.get(identity)) is not None:
            return twin
        if self._waiting_of(write.workspace) >= LANE_MAX:
            self._drop_ended(now)
        if self._waiting_of(write.workspace) >= LANE_MAX:
            raise Unavailable(f"{LANE_MAX} writes of {write.workspace} wait already")
        self._fresh.append(write)
        if identity is not None:
            self._by_identity[identity] = write
        return write

    def _waiting_of(self, workspace: WorkspaceId) -> int:
        return self._fresh.of(workspace) + self._suspects.of(workspace)

    def next_batch(self, now: float) -> list[Write]:
        """Remove and return the writes of the next call: fresh ones or suspects, as many as the limits allow.

        Two writes of a workspace with one idempotency key or one storage path never share a call: the outcome of the
        second depends on the first. The second waits for the next call.
        """
        self._drop_ended(now)
        if self._suspects and (not self._fresh or self._fresh_calls >= FRESH_CALLS):
            self._fresh_calls = 0
            return self._take(self._suspects, self._suspects.first.together)
        self._fresh_calls = self._fresh_calls + 1 if self._suspects else 0
        return self._take(self._fresh, self._rows)

    def _take(self, queue: FairQueue[Write], rows: int) -> list[Write]:
        batch: list[Write] = []
        later: list[Write] = []
        keys: set[tuple[WorkspaceId, str]] = set()
        paths: set[str] = set()
        cost, cost_max = 0, COST_MAX if queue.workspaces == 1 else SHARED_COST_MAX
        while queue and len(batch) < rows and cost < cost_max:
            write = queue.pop()
            # Expensive writes leave half of each call to cheap ones, which would otherwise wait for all of them.
            room = cost_max if write.cost <= COST_SHARE else cost_max // 2
            key = None if write.idempotency_key is None else (write.workspace, write.idempotency_key)
            clashes = key in keys or write.path in paths
            waits = write.workspace in self.in_flight or (batch and cost + write.cost > room)
            if clashes or waits or write.together < rows:
                later.append(write)
            else:
                batch.append(write)
                cost += write.cost
                paths.add(write.path)
                if key is not None:
                    keys.add(key)
        queue.put_back(later)
        return batch

    def shrink(self) -> None:
        """Halve the calls of fresh writes."""
        self._rows = max(1, self._rows // 2)

    def grow(self) -> None:
        """Double the calls of fresh writes, up to the limit."""
        self._rows = min(ROWS_MAX, self._rows * 2)

    def put_back(self, batch: Sequence[Write]) -> None:
        """Let a batch wait again as before, in front of the others. A single write goes last, so it blocks none."""
        queue = self._suspects if batch[0].is_suspect else self._fresh
        if len(batch) > 1:
            queue.put_back(batch)
        else:
            queue.extend(batch)

    def suspect(self, batch: Sequence[Write]) -> None:
        """Let a batch wait again as suspects, which share calls half as large, and so on until the cause is alone."""
        for write in batch:
            write.together = max(1, len(batch) // 2)
        self._suspects.extend(batch)

    def acquit(self, writes: Collection[Write]) -> None:
        """Let suspects wait as fresh writes again, before all others."""
        acquitted = [write for write in self._suspects if write in writes]
        self._suspects = FairQueue(write for write in self._suspects if write not in writes)
        for write in acquitted:
            write.together = ROWS_MAX
        self._fresh.put_back(acquitted)

    def forget(self, write: Write) -> None:
        """Let the write take in no more twins."""
        if (identity := write.identity) is not None and self._by_identity.get(identity) is write:
            del self._by_identity[identity]

    def _drop_ended(self, now: float) -> None:
        """Drop the writes whose requests were all cancelled, and fail those whose time is over."""
        self._fresh = self._awaited(self._fresh, now)
        if self._suspects:
            self._suspects = self._awaited(self._suspects, now)

    def _awaited(self, queue: FairQueue[Write], now: float) -> FairQueue[Write]:
        ended: set[Write] = set()
        for write in queue:
            if now >= write.give_up_at:
                write.fail(Unavailable(f"not written in time, after {write.failures} failures"))
            if not write.is_awaited:
                ended.add(write)
                self.forget(write)
        # The order of turns is kept, too.
        return FairQueue(write for write in queue if write not in ended) if ended else queue
