"""Servers, and Postgres under them, are killed with SIGKILL again and again while clients retry."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle

import pytest

from . import scale
from .books import audit
from .deployment import Deployment, kill_postgres, open_deployment
from .fleet import Fleet
from .ledger import Ledger

CLIENTS = 24
KILLS_A_LEDGER = 20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(scale.of(120, 4 * 3600))]


def moments() -> Iterator[int]:
    """Yield the number of acknowledgements before each kill."""
    return cycle((1, 30, 12, 2, 70, 5, 40))


async def kill_under_load(ledger: Ledger, fleet: Fleet, acknowledged: int, kill: Callable[[], None]) -> None:
    """Let clients create and delete documents, kill during that, and let each client create one more document."""
    before = ledger.acknowledged
    killed = asyncio.Event()

    async def call() -> None:
        last = False
        while not last:
            last = killed.is_set()
            (intent,) = ledger.intend(1)
            await ledger.send_until_acknowledged(intent, fleet)
            if len(ledger.intents) % 3 == 0:
                await ledger.delete_until_acknowledged(intent, fleet)

    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(call())
        await ledger.until_acknowledged(before + acknowledged)
        kill()
        killed.set()
    assert ledger.acknowledged == len(ledger.intents)


async def test_killed_servers_lose_no_acknowledged_document_and_double_none(deployment: Deployment) -> None:
    async with deployment.fleet(4) as fleet:

        def kill_and_start_another() -> None:
            victim = fleet.another()
            fleet.kill(victim)
            fleet.start(victim)

        for kills in range(0, scale.SERVER_KILLS, KILLS_A_LEDGER):
            ledger = Ledger(await deployment.workspace())
            for kill, acknowledged in zip(range(KILLS_A_LEDGER), moments(), strict=False):
                # A server may still be starting when the next one is killed. One is always left.
                await fleet.until_up(2)
                await kill_under_load(ledger, fleet, acknowledged, kill_and_start_another)
                scale.progress(f"servers killed: {kills + kill + 1}, {ledger}")
            # If no request of the victims was interrupted, the kills proved nothing.
            assert ledger.interrupted >= KILLS_A_LEDGER
            await fleet.until_up(4)
            await audit(deployment, fleet, ledger)


async def test_a_killed_postgres_loses_no_acknowledged_document_and_doubles_none() -> None:
    async with open_deployment() as deployment, deployment.fleet(2) as fleet:
        ledger = Ledger(await deployment.workspace())
        for kill, acknowledged in zip(range(scale.POSTGRES_KILLS), moments(), strict=False):
            postmaster = deployment.postmaster
            await kill_under_load(ledger, fleet, acknowledged, partial(kill_postgres, postmaster))
            assert deployment.postmaster != postmaster
            scale.progress(f"Postgres killed: {kill + 1}, {ledger}")
        await audit(deployment, fleet, ledger)
