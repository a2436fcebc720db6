"""Connections to Postgres that break, or fall silent, around a commit: the server finds out what became of its write
by itself, and no caller hears of it."""

import asyncio
from itertools import cycle, islice, product

import pytest

from . import scale
from .books import balance
from .deployment import Deployment
from .fleet import open_fleet
from .ledger import Ledger
from .proxy import Fault, Proxy, open_proxy
from .wire import ask, message

CALLERS = 8
WORKSPACES = 8

pytestmark = [pytest.mark.slow, pytest.mark.timeout(scale.of(120, 3600))]


async def ask_all(ledger: Ledger, port: int, count: int, *, keyed: bool) -> None:
    """New intents, all at once, each sent once: every caller must be told that it is recorded."""
    intents = ledger.intend(count, keyed=keyed)
    replies = await asyncio.gather(*(ledger.ask_once(intent, port) for intent in intents))
    assert [reply.status for reply in replies] == [201] * count


async def reconnect(proxy: Proxy, port: int) -> None:
    """Break the connections of the server on `port`, and return once it has another one."""
    await proxy.disconnect()
    while (await ask(port, message("GET", "/health/ready", "", {}))).status != 200:  # noqa: ASYNC110  nothing tells
        await asyncio.sleep(0.02)


async def test_a_commit_whose_answer_is_lost_is_answered_without_asking_the_caller_again(
    deployment: Deployment,
) -> None:
    async with open_proxy(deployment.socket) as proxy, open_fleet([deployment.node(proxy.url)]) as fleet:
        ledger = Ledger(await deployment.workspace())
        keyed, port = cycle((True, False)), fleet.nodes[0].port
        # The first write after a pause holds one row, the second one all that have gathered meanwhile.
        cuts = cycle(product((Fault.ANSWER_CUT, Fault.REQUEST_CUT), (0, 1)))
        for number, (cut, spared) in enumerate(islice(cuts, scale.CUTS)):
            proxy.plan.extend([None] * spared + [cut])
            while proxy.plan:
                await ask_all(ledger, port, CALLERS, keyed=next(keyed))
            assert proxy.struck.get_nowait() is cut
            scale.progress(f"connections cut: {number + 1}, {ledger}")
        await balance(deployment, fleet, ledger)


async def test_a_connection_that_postgres_ends_is_used_no_more(deployment: Deployment) -> None:
    async with open_proxy(deployment.socket) as proxy, open_fleet([deployment.node(proxy.url)]) as fleet:
        ledger = Ledger(await deployment.workspace())
        port = fleet.nodes[0].port
        for reads in islice(cycle((False, True)), scale.CUTS):
            (intent,) = ledger.intend(1)
            proxy.plan.append(Fault.LEAVE)
            await ledger.fetch_with_retry(intent, fleet)
            assert await proxy.struck.get() is Fault.LEAVE
            # What comes now, or else the next write, gets the connection that is just ending.
            if reads:
                target = f"/v1/documents/{intent.answers[0].data['id']}"
                read = await ask(port, message("GET", target, ledger.workspace.key, {}))
                assert read.status in (200, 503), read  # not tried twice
        await reconnect(proxy, port)
        await balance(deployment, fleet, ledger)


async def test_a_connection_that_falls_silent_around_a_commit_costs_time_and_nothing_else(
    deployment: Deployment,
) -> None:
    async with open_proxy(deployment.socket) as proxy, open_fleet([deployment.node(proxy.url)]) as fleet:
        ledgers = [Ledger(await deployment.workspace()) for _ in range(WORKSPACES)]
        # More connections in all than the server's pool has: each must come back to it.
        for silences in range(0, scale.SILENCES, WORKSPACES):
            # One call a workspace at a time: the first of each falls silent, and these go side by side.
            proxy.plan.extend(islice(cycle((Fault.ANSWER_SILENT, Fault.REQUEST_SILENT)), WORKSPACES))
            async with asyncio.TaskGroup() as callers:
                for number, ledger in enumerate(ledgers):
                    callers.create_task(ask_all(ledger, fleet.nodes[0].port, 3, keyed=number % 4 < 2))
            assert proxy.struck.qsize() == silences + WORKSPACES
            scale.progress(f"connections gone silent: {silences + WORKSPACES}")
        for ledger in ledgers:
            await balance(deployment, fleet, ledger)


async def test_a_network_that_breaks_most_of_the_time_loses_nothing_and_doubles_nothing(
    deployment: Deployment,
) -> None:
    async with open_proxy(deployment.socket) as proxy, open_fleet([deployment.node(proxy.url)]) as fleet:
        ledger = Ledger(await deployment.workspace())
        storm = cycle(
            (Fault.ANSWER_CUT, Fault.REQUEST_CUT, None, Fault.REQUEST_CUT, Fault.ANSWER_CUT, Fault.ANSWER_CUT)
        )
        for _ in range(0, scale.CUTS, CALLERS):
            proxy.plan.clear()
            proxy.plan.extend(islice(storm, CALLERS))
            async with asyncio.TaskGroup() as callers:
                for intent in ledger.intend(CALLERS):
                    callers.create_task(ledger.fetch_with_retry(intent, fleet))
                # Without a key, nobody asks again: 201, or 503 and nothing is known.
                for intent in ledger.intend(CALLERS, keyed=False):
                    callers.create_task(ledger.ask_once(intent, fleet.nodes[0].port))
        proxy.plan.clear()
        await balance(deployment, fleet, ledger)
