"""Clients that create documents until the load ends, each request on its own connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.acceptance.client import Client
from tests.acceptance.service import Server
from tests.crash.deployment import Workspace
from tests.crash.ledger import Ledger
from tests.crash.wire import Interrupted

CLIENTS = 8


def ledger_of(server: Server, client: Client) -> Ledger:
    assert client.key is not None
    return Ledger(Workspace(client.workspace, client.key, server.data_dir / "files"))


@asynccontextmanager
async def load_on(server: Server, ledger: Ledger) -> AsyncIterator[None]:
    """Let clients send intents for the `with` block. Each repeats its intent until it is answered."""
    ended = asyncio.Event()

    async def call() -> None:
        while not ended.is_set():
            (intent,) = ledger.intend(1)
            while not (intent.answers or ended.is_set()):
                try:
                    await ledger.send_once(intent, server.port)
                except Interrupted:
                    ledger.interrupted += 1
                    await asyncio.sleep(0.01)  # no process listens, and there is no event for when one does

    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(call())
        try:
            yield
        finally:
            ended.set()


async def until_answered(ledger: Ledger, count: int) -> None:
    """Wait until this many more requests are answered."""
    async with asyncio.timeout(60):
        await ledger.until_acknowledged(ledger.acknowledged + count)
