"""The lane of a workspace: it holds the waiting writes of one kind and decides which of them share the next call."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from domain.ids import WorkspaceId
from domain.paths import StoragePath
from ports.intents import Intent
from ports.system import Unavailable

ROWS_MAX = 128
BYTES_MAX = 2**20
"""The limits of one call: documents, and bytes of their JSON."""

LANE_MAX = 1024
"""The most writes of one kind that wait for one workspace: eight calls. Each workspace has a queue of its own."""

TOGETHER_MAX = 2
"""The number of failures after which a write goes alone: if it causes the failures, it then fails alone."""


Outcome = TypeVar("Outcome")


@dataclass(slots=True, eq=False)
class Pending(Generic[Outcome]):
    """A write without an outcome: its storage path, its JSON for the call, and the requests that wait for the outcome.

    The first waiter is the request that sent it. The others are its twins: requests with the same idempotency
    key, operation and fingerprint that arrived later. A write without an idempotency key has none.
    """

    workspace: WorkspaceId
    path: StoragePath
    record: bytes
    intent: Intent | None = None
    give_up_at: float = 0.0
    failures: int = 0
    waiters: "list[asyncio.Future[Outcome]]" = field(default_factory=list)

    @property
    def goes_alone(self) -> bool:
        return self.failures >= TOGETHER_MAX

    @property
    def is_awaited(self) -> bool:
        """Whether a request still waits for the outcome. All waiting requests may have been cancelled."""
        return not all(waiter.done() for waiter in self.waiters)

    @property
    def idempotency_key(self) -> str | None:
        return None if self.intent is None else self.intent.idempotency_key

    @property
    def identity(self) -> tuple[str, str, bytes] | None:
        """The idempotency key, operation and fingerprint, by which twins recognise each other; `None` without a key."""
        if self.intent is None or self.intent.idempotency_key is None:
            return None
        return self.intent.idempotency_key, self.intent.operation, self.intent.fingerprint

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
    """The waiting writes of one workspace, in the order of arrival, except for retries and dependent writes."""

    def __init__(self) -> None:
        self._waiting: deque[Write] = deque()
        # From its arrival until it is settled or dropped, each write with an idempotency key takes in its twins.
        self._by_identity: dict[tuple[str, str, bytes], Write] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Write]:
        return iter(self._waiting)

    def add(self, write: Write, now: float) -> Write:
        """Let a write wait, and return it, or its twin: the write with the same identity that waits already.

        Raises:
            Unavailable: the lane is full.
        """
        identity = write.identity
        if identity is not None and (twin := self._by_identity.get(identity)) is not None:
            return twin
        if len(self._waiting) >= LANE_MAX:
            self._drop_ended(now)
        if len(self._waiting) >= LANE_MAX:
            raise Unavailable(f"{LANE_MAX} writes of {write.workspace} wait already")
        self._waiting.append(write)
        if identity is not None:
            self._by_identity[identity] = write
        return write

    def next_batch(self, now: float) -> list[Write]:
        """Remove and return the writes of the next call: all that wait, up to the limits, or one that must go alone.

        Two writes with one idempotency key or one storage path never share a call: the outcome of the second depends
        on the first. The second waits for the next call.
        """
        self._drop_ended(now)
        if self._waiting and self._waiting[0].goes_alone:
            return [self._waiting.popleft()]
        batch: list[Write] = []
        later: deque[Write] = deque()
        keys: set[str | None] = set()
        paths: set[str] = set()
        size = 0
        while self._waiting and len(batch) < ROWS_MAX:
            write = self._waiting.popleft()
            clashes = write.idempotency_key in keys or write.path in paths
            if clashes or write.goes_alone:
                later.append(write)
            elif batch and size + len(write.record) > BYTES_MAX:
                later.append(write)
                break
            else:
                batch.append(write)
                size += len(write.record)
                paths.add(write.path)
                if write.idempotency_key is not None:
                    keys.add(write.idempotency_key)
        self._waiting.extendleft(reversed(later))
        return batch

    def put_first(self, batch: Sequence[Write]) -> None:
        """Let a batch wait again, before all others."""
        self._waiting.extendleft(reversed(batch))

    def put_last(self, write: Write) -> None:
        """Let a write wait again, after all others."""
        self._waiting.append(write)

    def forget(self, write: Write) -> None:
        """Let the write take in no more twins."""
        if (identity := write.identity) is not None and self._by_identity.get(identity) is write:
            del self._by_identity[identity]

    def _drop_ended(self, now: float) -> None:
        """Drop the writes whose requests were all cancelled, and fail those whose time is over."""
        kept: deque[Write] = deque()
        for write in self._waiting:
            if now >= write.give_up_at:
                write.fail(Unavailable(f"not written in time, after {write.failures} failures"))
            if write.is_awaited:
                kept.append(write)
            else:
                self.forget(write)
        self._waiting = kept
