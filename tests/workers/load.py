"""Callers who create documents, one after the other, each call on a connection of its own, until the load ends."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from tests.acceptance.client import Client
from tests.acceptance.service import Server
from tests.crash.wire import Interrupted, Reply, ask

from .processes import port_of
from .race import create

CALLERS = 8
DOCUMENTS = 100


@dataclass(frozen=True)
class Intent:
    """To create a document; told again, with its key, once it was answered."""

    path: str
    key: str = field(default_factory=lambda: str(uuid4()))


@dataclass
class Load:
    """What was asked for, and what came of it."""

    client: Client
    intents: deque[Intent]
    calls: int = 0
    """How many were answered."""
    answered: set[Intent] = field(default_factory=set)
    interrupted: list[Intent] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    made_silently: list[Intent] = field(default_factory=list)
    """Whose first answer says that there was one before."""
    ended: bool = False

    async def call(self, port: int) -> None:
        while not self.ended:
            # Not there while it is under way, so no two are under way with one key.
            intent = self.intents.popleft()
            try:
                await self.create(port, intent)
            except Interrupted:
                self.interrupted.append(intent)
                await asyncio.sleep(0.01)  # nobody listens, and nobody is told when somebody does
            self.intents.append(intent)

    async def create(self, port: int, intent: Intent) -> Reply:
        """Raises Interrupted."""
        assert self.client.key is not None
        reply = await ask(port, create(self.client.key, self.client.document(intent.path), intent.key))
        if reply.status != 201:
            self.refused.append(str(reply))
        elif reply.replayed and intent not in self.answered:
            self.made_silently.append(intent)
        self.answered.add(intent)
        self.calls += 1
        return reply

    async def until_answered(self, count: int) -> None:
        """Return when so many more calls have been answered."""
        wanted = self.calls + count
        async with asyncio.timeout(60):
            while self.calls < wanted:  # noqa: ASYNC110  the callers would have to know who waits
                await asyncio.sleep(0.01)


@asynccontextmanager
async def load_on(server: Server, client: Client) -> AsyncIterator[Load]:
    """Callers at work for the block."""
    paths = [await asyncio.to_thread(client.upload) for _ in range(DOCUMENTS)]
    load = Load(client, deque(map(Intent, paths)))
    callers = [asyncio.create_task(load.call(port_of(server))) for _ in range(CALLERS)]
    try:
        yield load
    finally:
        load.ended = True
        await asyncio.gather(*callers)
