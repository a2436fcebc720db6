"""The writer on database calls that a test answers, holds and lets fail. No test sleeps: the rig records the pauses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
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
    """A database that records each call and answers as the memory adapter does."""

    records: Records
    before: list[Fault] = field(default_factory=list)
    """What happens to the next calls before they are answered, one fault each."""
    after: list[Fault] = field(default_factory=list)
    """What happens to the next answers on their way, one fault each."""
    every: Fault | None = None
    made: list[list[str]] = field(default_factory=list)
    """The paths of each call."""
    under_way: int = 0
    under_way_max: int = 0

    async def __call__(self, workspace: WorkspaceId, creates: Sequence[Pending]) -> Sequence[CreateOutcome]:
        assert {create.document.workspace_id for create in creates} == {workspace}
        self.made.append([create.document.storage_path.rpartition("/")[2] for create in creates])
        self.under_way += 1
        self.under_way_max = max(self.under_way_max, self.under_way)
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
    """A writer on such calls, for one workspace."""

    calls: Calls
    writer: BatchedWriter
    home: Workspace
    pauses: list[float]

    def create(self, path: str, key: str | None = None, asks: str = "this", size_bytes: int = 1) -> Pending:
        records = self.calls.records
        document = records.document(self.home, path=path, size_bytes=size_bytes)
        return Pending(document, records.intent(self.home, key, asks), b"{}")

    async def send(self, *creates: Pending) -> "list[asyncio.Task[CreateOutcome]]":
        """Send creates, and return once all of them wait."""
        tasks = [asyncio.create_task(self.writer.record(create)) for create in creates]
        await asyncio.sleep(0)
        return tasks

    async def neighbour(self) -> "Rig":
        """The same writer, for another workspace."""
        return Rig(self.calls, self.writer, await self.calls.records.workspace(), [])

    @asynccontextmanager
    async def held_call(
        self, *creates: Pending, then: Fault | None = None
    ) -> "AsyncIterator[list[asyncio.Task[CreateOutcome]]]":
        """Hold the next call during the block, and let it fail afterwards if a fault follows.

        The creates, by default one at "held", are sent before the block.
        """
        held, go_on = asyncio.Event(), asyncio.Event()

        async def hold(call: Sequence[Pending]) -> None:
            held.set()
            await go_on.wait()
            if then:
                await then(call)

        self.calls.before.append(hold)
        tasks = await self.send(*(creates or [self.create("held")]))
        await held.wait()
        yield tasks
        go_on.set()
        await asyncio.wait(tasks)


async def open_rig() -> Rig:
    records = memory_records(StillClock())
    calls, pauses = Calls(records), list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    return Rig(calls, BatchedWriter(calls, pause), await records.workspace(), pauses)


async def cut(_: Sequence[Pending]) -> None:
    raise Unavailable("the connection was cut")


def fails_with(path: str, error: Exception) -> Fault:
    """A fault of every call that carries the path."""

    async def fault(creates: Sequence[Pending]) -> None:
        if any(create.document.storage_path.endswith(path) for create in creates):
            raise error

    return fault
