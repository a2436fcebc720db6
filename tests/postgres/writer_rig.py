"""A writer whose database calls a test records, holds and lets fail. No test sleeps: the rig records the pauses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from adapters.postgres.writer.batched import BatchedWriter
from adapters.postgres.writer.lane import Pending
from domain.access import Workspace
from domain.ids import WorkspaceId
from ports.outcomes import CreateOutcome
from ports.system import Unavailable
from tests.contracts.records import Records

Fault = Callable[[Sequence[Pending]], Awaitable[None]]


class Rig:
    """A writer, and a database that answers its calls as the memory adapter does."""

    def __init__(self, records: Records, home: Workspace) -> None:
        self.records = records
        self.home = home
        self.writer = BatchedWriter(self.call, self._pause)
        self.faults: list[Fault] = []
        """The faults of the next calls, one each."""
        self.every: Fault | None = None
        """The fault of all calls."""
        self.made: list[list[str]] = []
        """The paths of each call."""
        self.pauses: list[float] = []

    async def call(self, workspace: WorkspaceId, creates: Sequence[Pending]) -> Sequence[CreateOutcome]:
        assert {create.document.workspace_id for create in creates} == {workspace}
        self.made.append([create.document.storage_path.rpartition("/")[2] for create in creates])
        if self.every:
            await self.every(creates)
        if self.faults:
            await self.faults.pop(0)(creates)
        return [await self.records.documents.create(create.document, create.intent) for create in creates]

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def create(
        self, path: str, key: str | None = None, asks: str = "this", size_bytes: int = 1, home: Workspace | None = None
    ) -> Pending:
        home = home or self.home
        document = self.records.document(home, path=path, size_bytes=size_bytes)
        return Pending(document, self.records.intent(home, key, asks), b"{}")

    async def send(self, *creates: Pending) -> "list[asyncio.Task[CreateOutcome]]":
        """Send creates, and return once all of them wait."""
        tasks = [asyncio.create_task(self.writer.record(create)) for create in creates]
        await asyncio.sleep(0)
        return tasks

    @asynccontextmanager
    async def held_call(
        self, *creates: Pending, then: Fault | None = None
    ) -> "AsyncIterator[list[asyncio.Task[CreateOutcome]]]":
        """Send creates, by default one at "held", and hold their call during the block. `then` is its fault."""
        held, go_on = asyncio.Event(), asyncio.Event()

        async def hold(call: Sequence[Pending]) -> None:
            held.set()
            await go_on.wait()
            if then:
                await then(call)

        self.faults.append(hold)
        tasks = await self.send(*(creates or [self.create("held")]))
        await held.wait()
        yield tasks
        go_on.set()
        await asyncio.wait(tasks)


async def cut(_: Sequence[Pending]) -> None:
    raise Unavailable("the connection was cut")


def fails_with(path: str, error: Exception) -> Fault:
    """Return a fault of every call that carries the path."""

    async def fault(creates: Sequence[Pending]) -> None:
        if any(create.document.storage_path.endswith(path) for create in creates):
            raise error

    return fault
