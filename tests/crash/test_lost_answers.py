"""Connections to Postgres that break or stop responding around a commit. The server determines the outcome of its write
by itself."""

import asyncio
from collections.abc import AsyncIterator
from itertools import cycle, islice, product

import pytest

from . import scale
from .books import audit
from .deployment import Deployment
from .fleet import Fleet, open_fleet
from .ledger import Ledger
from .proxy import Fault, Proxy
from .wire import message, send

CLIENTS = 8
WORKSPACES = 8
CALLS_MAX = 2
"""The calls of creates that a server makes at the same time."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(scale.of(120, 3600))]


@pytest.fixture(scope="module")
async def fleet(deployment: Deployment, proxy: Proxy) -> AsyncIterator[Fleet]:
    """One server, whose connections to Postgres go through the proxy."""
    async with open_fleet([deployment.node(proxy.url)]) as fleet:
        yield fleet


async def send_all(ledger: Ledger, port: int, count: int, *, keyed: bool) -> None:
    """Send new intents at once, each one time. Every one must be answered 201."""
    intents = ledger.intend(count, keyed=keyed)
    replies = await asyncio.gather(*(ledger.send_once(intent, port) for intent in intents))
    assert [reply.status for reply in replies] == [201] * count


async def reconnect(proxy: Proxy, port: int) -> None:
    """Break the connections of the server on `port`, and wait until it is ready again."""
    await proxy.disconnect()
    while (await send(port, message("GET", "/health/ready", "", {}))).status != 200:  # noqa: ASYNC110  there is no event
        await asyncio.sleep(0.02)


async def test_a_client_gets_201_after_a_lost_commit_answer(deployment: Deployment, proxy: Proxy, fleet: Fleet) -> None:
    ledger = Ledger(await deployment.workspace())
    keyed, port = cycle((True, False)), fleet.nodes[0].port
    # The first write after a pause has one row. The second has all rows that waited meanwhile.
    cuts = cycle(product((Fault.ANSWER_CUT, Fault.REQUEST_CUT), (0, 1)))
    for number, (cut, spared) in enumerate(islice(cuts, scale.CUTS)):
        proxy.plan.extend([None] * spared + [cut])
        while proxy.plan:
            await send_all(ledger, port, CLIENTS, keyed=next(keyed))
        assert proxy.struck.get_nowait() is cut
        scale.progress(f"connections cut: {number + 1}, {ledger}")
    await audit(deployment, fleet, ledger)


async def test_a_connection_ended_by_postgres_is_not_reused(deployment: Deployment, proxy: Proxy, fleet: Fleet) -> None:
    ledger = Ledger(await deployment.workspace())
    port = fleet.nodes[0].port
    for reads in islice(cycle((False, True)), scale.CUTS):
        (intent,) = ledger.intend(1)
        proxy.plan.append(Fault.LEAVE)
        await ledger.send_until_acknowledged(intent, fleet)
        assert await proxy.struck.get() is Fault.LEAVE
        # This read, or else the next write, would get the connection that is just ending.
        if reads:
            target = f"/v1/documents/{intent.answers[0].data['id']}"
            read = await send(port, message("GET", target, ledger.workspace.key, {}))
            assert read.status in (200, 503), read  # reads are not retried
    await reconnect(proxy, port)
    await audit(deployment, fleet, ledger)


async def test_a_silent_connection_only_delays_the_answer(deployment: Deployment, proxy: Proxy, fleet: Fleet) -> None:
    ledgers = [Ledger(await deployment.workspace()) for _ in range(WORKSPACES)]
    # More connections fall silent than the pool has, so each must return to it.
    for silences in range(0, scale.SILENCES, CALLS_MAX):
        # All workspaces share calls. The first ones, of which the second starts while the first is silent, fall silent.
        proxy.plan.extend(islice(cycle((Fault.ANSWER_SILENT, Fault.REQUEST_SILENT)), CALLS_MAX))
        async with asyncio.TaskGroup() as clients:
            for number, ledger in enumerate(ledgers):
                clients.create_task(send_all(ledger, fleet.nodes[0].port, 3, keyed=number % 4 < 2))
        assert proxy.struck.qsize() == silences + CALLS_MAX
        scale.progress(f"connections gone silent: {silences + CALLS_MAX}")
    for ledger in ledgers:
        await audit(deployment, fleet, ledger)
