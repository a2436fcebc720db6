"""The writer alone, on calls that a test answers, delays and lets fail.

Nothing sleeps: a test holds a call back with a gate, and pauses between tries are noted instead of waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from adapters.postgres.writer.batched import BatchedWriter
from adapters.postgres.writer.lane import Pending
from domain.access import Workspace
from domain.ids import WorkspaceId
from ports.outcomes import CreateOutcome
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.records import Records, memory_records

Fault = Callable[[Sequence[Pending]], Awaitable[None]]


@dataclass
class Calls:
    """A database that notes each call and answers as the memory adapter does."""

    records: Records
    before: list[Fault] = field(default_factory=list)
    """What happens to the next calls before they are answered, one each."""
    after: list[Fault] = field(default_factory=list)
    """What happens to the next answers on their way."""
    every: Fault | None = None
    made: list[list[str]] = field(default_factory=list)
    """The paths of each call."""
    under_way: int = 0
    most_at_once: int = 0

    async def __call__(self, workspace: WorkspaceId, creates: Sequence[Pending]) -> Sequence[CreateOutcome]:
        assert {create.document.workspace_id for create in creates} == {workspace}
        self.made.append([create.document.storage_path.rpartition("/")[2] for create in creates])
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            if self.every:
                await self.every(creates)
            if self.before:
                await self.before.pop(0)(creates)
            outcomes = [await self.records.documents.create(create.document, create.intent) for create in creates]
            if self.after:
                await self.after.pop(0)(creates)
            return outcomes
        finally:
            self.under_way -= 1


@dataclass
class Rig:
    """A writer on such calls."""

    calls: Calls
    writer: BatchedWriter
    home: Workspace
    pauses: list[float]

    def create(self, path: str, key: str | None = None, asks: str = "this", size_bytes: int = 1) -> Pending:
        records = self.calls.records
        document = records.document(self.home, path=path, size_bytes=size_bytes)
        return Pending(document, records.intent(self.home, key, asks), b"{}")

    def send(self, create: Pending) -> "asyncio.Task[CreateOutcome]":
        return asyncio.create_task(self.writer.record(create))


async def open_rig() -> Rig:
    records = memory_records(StillClock())
    calls, pauses = Calls(records), list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    return Rig(calls, BatchedWriter(calls, pause), await records.workspace(), pauses)


def gate() -> tuple[Fault, "asyncio.Event", "asyncio.Event"]:
    """A fault that holds a call until the second event; the first tells that it is held."""
    held, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Sequence[Pending]) -> None:
        held.set()
        await go_on.wait()

    return hold, held, go_on


async def cut(_: Sequence[Pending]) -> None:
    raise Unavailable("the connection was cut")


def breaks(path: str, error: Exception) -> Fault:
    """A fault of every call that carries the path."""

    async def fault(creates: Sequence[Pending]) -> None:
        if any(create.document.storage_path.endswith(path) for create in creates):
            raise error

    return fault
