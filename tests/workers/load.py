"""Clients that create documents until the load ends, each request on its own connection."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from tests.acceptance.client import Client
from tests.acceptance.service import Server
from tests.crash.wire import Interrupted, Reply, send

from .processes import port_of
from .race import create

CLIENTS = 8
DOCUMENTS = 100


@dataclass(frozen=True)
class Intent:
    """A create with its idempotency key. It is sent again after it was answered."""

    path: str
    key: str = field(default_factory=lambda: str(uuid4()))


@dataclass
class Load:
    """What the clients sent, and how it was answered."""

    client: Client
    intents: deque[Intent]
    calls: int = 0
    """Answered requests."""
    answered: set[Intent] = field(default_factory=set)
    interrupted: list[Intent] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    recorded_unanswered: list[Intent] = field(default_factory=list)
    """Intents whose first answer is a replay: an earlier request was recorded but not answered."""
    ended: bool = False

    async def call(self, port: int) -> None:
        while not self.ended:
            # It is out of the queue meanwhile, so no key is in two requests at once.
            intent = self.intents.popleft()
            try:
                await self.create(port, intent)
            except Interrupted:
                self.interrupted.append(intent)
                await asyncio.sleep(0.01)  # no process listens, and there is no event for when one does
            self.intents.append(intent)

    async def create(self, port: int, intent: Intent) -> Reply:
        """Create the document. Raise `Interrupted` if the answer does not arrive."""
        assert self.client.key is not None
        reply = await send(port, create(self.client.key, self.client.document(intent.path), intent.key))
        if reply.status != 201:
            self.refused.append(str(reply))
        elif reply.replayed and intent not in self.answered:
            self.recorded_unanswered.append(intent)
        self.answered.add(intent)
        self.calls += 1
        return reply

    async def until_answered(self, count: int) -> None:
        """Wait until this many more requests are answered."""
        wanted = self.calls + count
        async with asyncio.timeout(60):
            while self.calls < wanted:  # noqa: ASYNC110  the clients set no event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def load_on(server: Server, client: Client) -> AsyncIterator[Load]:
    """Run the clients for the block."""
    paths = [await asyncio.to_thread(client.upload) for _ in range(DOCUMENTS)]
    load = Load(client, deque(map(Intent, paths)))
    clients = [asyncio.create_task(load.call(port_of(server))) for _ in range(CLIENTS)]
    try:
        yield load
    finally:
        load.ended = True
        await asyncio.gather(*clients)
