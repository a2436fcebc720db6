"""The lane of a workspace: it holds the waiting creates and decides which of them share the next call."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from domain.documents import Document
from ports.intents import Intent
from ports.outcomes import Created, CreateOutcome, Replayed
from ports.system import Unavailable

ROWS_MAX = 128
BYTES_MAX = 2**20
"""The most that one call carries, in rows and in bytes of their JSON."""

QUEUE_MAX = 1024
"""The most creates that wait for one workspace: eight calls. Each workspace has a queue of its own."""

TOGETHER_MAX = 2
"""The number of failures after which a create goes alone: if it causes the failures, it then fails alone."""


@dataclass(slots=True, eq=False)
class Pending:
    """A create without an outcome: the document, its JSON for the call, and the requests that wait for the outcome.

    The first waiter is the request that sent it. The others are its twins: requests with the same intent that
    arrived later.
    """

    document: Document
    intent: Intent
    record: bytes
    give_up_at: float = 0.0
    failures: int = 0
    waiters: list["asyncio.Future[CreateOutcome]"] = field(default_factory=list)

    @property
    def goes_alone(self) -> bool:
        return self.failures >= TOGETHER_MAX

    @property
    def is_awaited(self) -> bool:
        """Whether a request still waits for the outcome: all of them may have been cancelled."""
        return not all(waiter.done() for waiter in self.waiters)

    def settle(self, outcome: CreateOutcome) -> None:
        """Give every waiter the outcome. For a twin, the document that the first waiter created is a replay."""
        to_twin = Replayed(outcome.document) if isinstance(outcome, Created) else outcome
        for number, waiter in enumerate(self.waiters):
            if not waiter.done():
                waiter.set_result(outcome if number == 0 else to_twin)

    def fail(self, error: Exception) -> None:
        """Raise the error in every waiter."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(error)


class Lane:
    """The waiting creates of one workspace, in the order of arrival, except for retries and dependent creates."""

    def __init__(self) -> None:
        self._waiting: deque[Pending] = deque()
        # From its arrival until it is settled or dropped, each create with an idempotency key takes in its twins.
        self._by_identity: dict[tuple[str, str, bytes], Pending] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Pending]:
        return iter(self._waiting)

    def add(self, create: Pending, now: float) -> Pending:
        """Let a create wait, and return it, or the create with the same intent that waits already: its twin.

        Raises:
            Unavailable: the queue is full.
        """
        identity = _identity(create.intent)
        if identity is not None and (twin := self._by_identity.get(identity)) is not None:
            return twin
        if len(self._waiting) >= QUEUE_MAX:
            self._drop_ended(now)
        if len(self._waiting) >= QUEUE_MAX:
            raise Unavailable(f"{QUEUE_MAX} creates of {create.document.workspace_id} wait already")
        self._waiting.append(create)
        if identity is not None:
            self._by_identity[identity] = create
        return create

    def next_batch(self, now: float) -> list[Pending]:
        """Remove and return the creates of the next call: all that wait, up to the limits, or one that must go alone.

        Two creates with one idempotency key or one storage path never share a call: the outcome of the second depends
        on the first. The second waits for the next call.
        """
        self._drop_ended(now)
        if self._waiting and self._waiting[0].goes_alone:
            return [self._waiting.popleft()]
        batch: list[Pending] = []
        later: deque[Pending] = deque()
        keys: set[str | None] = set()
        paths: set[str] = set()
        size = 0
        while self._waiting and len(batch) < ROWS_MAX:
            create = self._waiting.popleft()
            clashes = create.intent.idempotency_key in keys or create.document.storage_path in paths
            if clashes or create.goes_alone:
                later.append(create)
            elif batch and size + len(create.record) > BYTES_MAX:
                later.append(create)
                break
            else:
                batch.append(create)
                size += len(create.record)
                paths.add(create.document.storage_path)
                if create.intent.idempotency_key is not None:
                    keys.add(create.intent.idempotency_key)
        self._waiting.extendleft(reversed(later))
        return batch

    def put_first(self, batch: Sequence[Pending]) -> None:
        """Let a batch wait again, before all others."""
        self._waiting.extendleft(reversed(batch))

    def put_last(self, create: Pending) -> None:
        """Let a create wait again, after all others."""
        self._waiting.append(create)

    def forget(self, create: Pending) -> None:
        """Let the create take in no more twins."""
        if (identity := _identity(create.intent)) is not None and self._by_identity.get(identity) is create:
            del self._by_identity[identity]

    def _drop_ended(self, now: float) -> None:
        """Drop the creates whose requests were all cancelled, and fail those whose time is over."""
        kept: deque[Pending] = deque()
        for create in self._waiting:
            if now >= create.give_up_at:
                create.fail(Unavailable(f"not recorded in time, after {create.failures} failures"))
            if create.is_awaited:
                kept.append(create)
            else:
                self.forget(create)
        self._waiting = kept


def _identity(intent: Intent) -> tuple[str, str, bytes] | None:
    """Return what twins have in common, or `None` without an idempotency key."""
    return None if intent.idempotency_key is None else (intent.idempotency_key, intent.operation, intent.fingerprint)
