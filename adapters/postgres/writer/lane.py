"""The lane of a workspace: the queue of its creates. It decides which of them share the next call."""

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
"""The limits of one call: documents, and bytes of their JSON."""

LANE_MAX = 1024
"""The most creates in a lane: those of eight calls."""

TOGETHER_MAX = 2
"""The number of failed calls after which each create gets a call of its own. Then a create that causes the failures
fails alone."""


@dataclass(slots=True, eq=False)
class Pending:
    """A create without an outcome: the document, its JSON for the call, and the requests that wait for the outcome.

    The first waiter is the request that brought the create. The others are its twins: requests with the same intent
    that arrived later.
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
        """Whether a request still waits for the outcome. All waiting requests may have been cancelled."""
        return not all(waiter.done() for waiter in self.waiters)

    def settle(self, outcome: CreateOutcome) -> None:
        """Give every waiter the outcome. A twin gets `Replayed` if the first waiter gets `Created`."""
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
        # The creates with an idempotency key that have arrived and have no outcome yet, by what twins have in common.
        self._by_identity: dict[tuple[str, str, bytes], Pending] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Pending]:
        return iter(self._waiting)

    def add(self, create: Pending, now: float) -> Pending:
        """Add a create to the lane and return it. If a create with the same intent waits already, return that one
        instead.

        Raises:
            Unavailable: the lane is full.
        """
        identity = _identity(create.intent)
        if identity is not None and (twin := self._by_identity.get(identity)) is not None:
            return twin
        if len(self._waiting) >= LANE_MAX:
            self._drop_ended(now)
        if len(self._waiting) >= LANE_MAX:
            raise Unavailable(f"{LANE_MAX} creates of {create.document.workspace_id} wait already")
        self._waiting.append(create)
        if identity is not None:
            self._by_identity[identity] = create
        return create

    def next_batch(self, now: float) -> list[Pending]:
        """Remove and return the creates of the next call: as many as the limits allow, or a single one that must have
        its own call.

        Two creates with the same idempotency key or storage path never share a call, because the outcome of the second
        depends on the first. The second waits for the next call.
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
        """Stop adding twins to the create."""
        if (identity := _identity(create.intent)) is not None and self._by_identity.get(identity) is create:
            del self._by_identity[identity]

    def _drop_ended(self, now: float) -> None:
        """Drop the creates whose requests were all cancelled, and fail the creates that have waited for too long."""
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
    """Return the values that twins have in common; `None` without an idempotency key."""
    return None if intent.idempotency_key is None else (intent.idempotency_key, intent.operation, intent.fingerprint)
