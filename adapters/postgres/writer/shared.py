"""The writer for writes whose calls carry rows of many workspaces."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from adapters.postgres.writer.batched import SLOW_SECONDS, BatchedWriter, shared
from adapters.postgres.writer.cost import SHARED_ROW_COST_MAX
from adapters.postgres.writer.lane import Outcome, Write

Sent = TypeVar("Sent", contravariant=True)
Got = TypeVar("Got", covariant=True)


@dataclass(frozen=True, slots=True)
class Busy:
    """Another process holds the workspace lock, so the write was not tried."""


class SharedCall(Protocol[Sent, Got]):
    """A call that makes writes as a `Call` of `batched.py` does.

    If it `waits`, all writes are of one workspace, and the call waits for the workspace lock. Otherwise, they may be of
    many workspaces, and the outcome of a write whose workspace lock is held is `Busy`.
    """

    async def __call__(self, writes: Sequence[Sent], *, waits: bool) -> Sequence[Got | Busy]: ...


class SharedWriter(Generic[Write, Outcome]):
    """The writes of one kind that wait, of all workspaces.

    The usual call carries rows of many workspaces and waits for no workspace lock. So a workspace whose lock is held
    delays no other. Its writes then go in calls of their own that wait for the lock, as long as any wait. Expensive
    writes go in such calls too, so they slow only their own workspace.
    """

    def __init__(self, call: SharedCall[Write, Outcome], now: Callable[[], float] = time.monotonic) -> None:
        self._shared: BatchedWriter[Write, Outcome | Busy] = BatchedWriter(
            partial(call, waits=False), shared, slow_seconds=SLOW_SECONDS, now=now
        )
        self._alone: BatchedWriter[Write, Outcome | Busy] = BatchedWriter(partial(call, waits=True), now=now)

    async def send(self, new: Callable[[], Write]) -> Outcome:
        """Return the outcome of a write. `new` makes it, for each lane in which it waits. Raises as
        `BatchedWriter.send` does.
        """
        write = new()
        if write.cost <= SHARED_ROW_COST_MAX and not self._alone.has_lane(write.workspace):
            outcome = await self._shared.send(write)
            if not isinstance(outcome, Busy):
                return outcome
            # It keeps its deadline.
            give_up_at, write = write.give_up_at, new()
            write.give_up_at = give_up_at
        outcome = await self._alone.send(write)
        assert not isinstance(outcome, Busy)
        return outcome

    async def aclose(self) -> None:
        """Refuse new writes from now on, and return once all earlier ones are settled."""
        await self._shared.aclose()
        await self._alone.aclose()
