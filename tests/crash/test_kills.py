"""kill -9, again and again, while callers insist: of servers, and of Postgres under them."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle

import pytest

from . import scale
from .books import balance
from .deployment import Deployment, kill_postgres, open_deployment
from .fleet import Fleet
from .ledger import Ledger

CALLERS = 24
KILLS_A_LEDGER = 20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(scale.of(120, 4 * 3600))]


def moments() -> Iterator[int]:
    """How much is acknowledged between the begin of the load and the kill."""
    return cycle((1, 30, 12, 2, 70, 5, 40))


async def kill_under_load(ledger: Ledger, fleet: Fleet, timestamp: int, kill: Callable[[], None]) -> None:
    """Callers who want one document after the other, a kill while they do, and one more document for each."""
    before = ledger.acknowledged
    killed = asyncio.Event()

    async def call() -> None:
        last = False
        while not last:
            last = killed.is_set()
            (intent,) = ledger.intend(1)
            await ledger.fetch_with_retry(intent, fleet)

    async with asyncio.TaskGroup() as callers:
        for _ in range(CALLERS):
            callers.create_task(call())
        await ledger.until_acknowledged(before + timestamp)
        kill()
        killed.set()
    assert ledger.acknowledged == len(ledger.intents)


async def test_killed_servers_lose_nothing_and_double_nothing(deployment: Deployment) -> None:
    async with deployment.fleet(4) as fleet:

        def kill_and_start_another() -> None:
            victim = fleet.another()
            fleet.kill(victim)
            fleet.start(victim)

        for kills in range(0, scale.SERVER_KILLS, KILLS_A_LEDGER):
            ledger = Ledger(await deployment.workspace())
            for kill, timestamp in zip(range(KILLS_A_LEDGER), moments(), strict=False):
                # One is killed while another is still starting; there is always one left to ask.
                await fleet.until_up(2)
                await kill_under_load(ledger, fleet, timestamp, kill_and_start_another)
                scale.progress(f"servers killed: {kills + kill + 1}, {ledger}")
            # Each victim had requests under way: else this would prove nothing.
            assert ledger.interrupted >= KILLS_A_LEDGER
            await fleet.until_up(4)
            await balance(deployment, fleet, ledger)


async def test_a_killed_postgres_loses_nothing_and_doubles_nothing() -> None:
    async with open_deployment() as deployment, deployment.fleet(2) as fleet:
        ledger = Ledger(await deployment.workspace())
        for kill, timestamp in zip(range(scale.POSTGRES_KILLS), moments(), strict=False):
            postmaster = deployment.postmaster
            await kill_under_load(ledger, fleet, timestamp, partial(kill_postgres, postmaster))
            assert deployment.postmaster != postmaster
            scale.progress(f"Postgres killed: {kill + 1}, {ledger}")
        await balance(deployment, fleet, ledger)
