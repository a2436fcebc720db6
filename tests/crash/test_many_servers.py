"""Several servers on one database share idempotency keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from . import scale
from .books import audit
from .deployment import Deployment
from .fleet import Fleet
from .ledger import Ledger
from .wire import line_to

KEYS_AT_ONCE = 10

pytestmark = [pytest.mark.slow, pytest.mark.timeout(scale.of(120, 3600))]


@pytest.fixture(scope="module")
async def fleet(deployment: Deployment) -> AsyncIterator[Fleet]:
    async with deployment.fleet(scale.TWIN_SERVERS) as fleet:
        yield fleet


async def test_one_idempotency_key_on_many_servers_creates_one_document(deployment: Deployment, fleet: Fleet) -> None:
    ledger = Ledger(await deployment.workspace())
    for keys in range(0, scale.TWINS, KEYS_AT_ONCE):
        async with AsyncExitStack() as stack:
            lines = [
                (intent, await stack.enter_async_context(line_to(node.port)))
                for intent in ledger.intend(KEYS_AT_ONCE)
                for node in fleet.nodes
            ]
            # All connections are open, so the requests start at the same moment.
            for intent, line in lines:
                line.send(intent.request)
            replies = await asyncio.gather(*(line.reply() for _, line in lines))
            for (intent, _), reply in zip(lines, replies, strict=True):
                ledger.note(intent, reply)
        for intent in ledger.intents[keys:]:
            assert len(intent.answers) == len(fleet.nodes)
            assert sum(not answer.replayed for answer in intent.answers) == 1
        scale.progress(f"keys sent to {len(fleet.nodes)} servers: {keys + KEYS_AT_ONCE}")
    await audit(deployment, fleet, ledger)
