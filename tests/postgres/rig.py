"""A writer on a database that fails as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager

from adapters.postgres.creates import PendingCreate
from adapters.postgres.not_begun import NotBegun
from adapters.postgres.writer.batched import BatchedWriter, by_workspace
from adapters.postgres.writer.shared import Busy
from domain.access import Workspace
from ports.outcomes import CreateOutcome
from ports.system import Unavailable
from tests.contracts.records import Records

Fault = Callable[[Sequence[PendingCreate]], Awaitable[None]]


class Rig:
    """A writer, and a database that answers its calls as the memory adapter does. Only pauses and faults take time."""

    def __init__(
        self,
        records: Records,
        home: Workspace,
        lane_of: Callable[[PendingCreate], Hashable] = by_workspace,
        slow_seconds: float | None = None,
    ) -> None:
        self.records = records
        self.home = home
        self.writer: BatchedWriter[PendingCreate, CreateOutcome | Busy] = BatchedWriter(
            self.call, lane_of, self._pause, slow_seconds=slow_seconds, now=lambda: self.seconds
        )
        self.seconds = 0.0
        self.faults: list[Fault] = []
        """The faults of the next calls, one each."""
        self.every: Fault | None = None
        """The fault of all calls."""
        self.made: list[list[str]] = []
        """The paths of each call."""
        self.pauses: list[float] = []

    async def call(self, creates: Sequence[PendingCreate]) -> Sequence[CreateOutcome]:
        self.made.append([create.document.storage_path.rpartition("/")[2] for create in creates])
        if self.every:
            await self.every(creates)
        if self.faults:
            await self.faults.pop(0)(creates)
        return [await self._create(create) for create in creates]

    async def _create(self, create: PendingCreate) -> CreateOutcome:
        assert create.intent is not None
        return await self.records.documents.create(create.document, create.intent)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)

    def create(
        self, path: str, key: str | None = None, asks: str = "this", size_bytes: int = 1, home: Workspace | None = None
    ) -> PendingCreate:
        home = home or self.home
        document = self.records.document(home, path=path, size_bytes=size_bytes)
        return PendingCreate.of(document, self.records.intent(home, key, asks), b"{}")

    async def send(self, *creates: PendingCreate) -> "list[asyncio.Task[CreateOutcome | Busy]]":
        """Send creates, and return once all of them wait."""
        tasks = [asyncio.create_task(self.writer.send(create)) for create in creates]
        await asyncio.sleep(0)
        return tasks

    @asynccontextmanager
    async def held_call(
        self, *creates: PendingCreate, then: Fault | None = None
    ) -> "AsyncIterator[list[asyncio.Task[CreateOutcome | Busy]]]":
        """Send creates, by default one at "held", and hold their call during the block. `then` is its fault."""
        held, go_on = asyncio.Event(), asyncio.Event()

        async def hold(call: Sequence[PendingCreate]) -> None:
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


async def cut(_: Sequence[PendingCreate]) -> None:
    raise Unavailable("the connection was cut")


async def refuse(_: Sequence[PendingCreate]) -> None:
    raise NotBegun("connection refused")


def fails_with(path: str, error: Exception) -> Fault:
    """Return a fault of every call that carries the path."""

    async def fault(creates: Sequence[PendingCreate]) -> None:
        if any(create.document.storage_path.endswith(path) for create in creates):
            raise error

    return fault
