"""After a server is killed during a write, the next server answers the same idempotency key at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.postgres.locks import locked

from . import scale
from .books import audit
from .deployment import Deployment
from .fleet import Fleet, open_fleet
from .ledger import Ledger
from .proxy import Fault, Proxy
from .wire import ANSWERED_WITHIN, Interrupted

WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND transactionid = pg_current_xact_id()::xid AND application_name = 'dossier waits'
"""
"""The number of sessions that wait for this transaction for long: servers name the pool of these sessions so."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(scale.of(120, 3600))]


@pytest.fixture(scope="module")
async def fleet(deployment: Deployment, proxy: Proxy) -> AsyncIterator[Fleet]:
    """A victim, whose connections to Postgres go through the proxy, and another server."""
    async with open_fleet([deployment.node(proxy.url), deployment.node()]) as fleet:
        yield fleet


async def test_a_retry_after_a_kill_gets_the_lost_response(deployment: Deployment, proxy: Proxy, fleet: Fleet) -> None:
    victim, other = fleet.nodes
    ledger = Ledger(await deployment.workspace())
    for crash in range(scale.CRASHES_BETWEEN):
        for fault in (Fault.ANSWER_SILENT, Fault.REQUEST_SILENT):
            await fleet.until_up(2)
            (intent,) = ledger.intend(1)
            proxy.plan.append(fault)
            call = asyncio.create_task(ledger.send_once(intent, victim.port))
            async with asyncio.timeout(ANSWERED_WITHIN):
                assert await proxy.struck.get() is fault
            fleet.kill(victim)
            with pytest.raises(Interrupted):
                await call
            reply = await ledger.send_once(intent, other.port)
            assert reply.status == 201, reply
            assert reply.replayed is fault.reaches_postgres
            fleet.start(victim)
        scale.progress(f"killed between commit and answer: {crash + 1}")
    await audit(deployment, fleet, ledger)


async def test_a_kill_during_a_wait_for_the_lock_records_one_document(deployment: Deployment, fleet: Fleet) -> None:
    victim, other = fleet.nodes
    ledger = Ledger(await deployment.workspace())
    for crash in range(scale.CRASHES_BETWEEN):
        await fleet.until_up(2)
        (intent,) = ledger.intend(1)
        async with locked(deployment.database_url, ledger.workspace.id) as holder:
            call = asyncio.create_task(ledger.send_once(intent, victim.port))
            while not await holder.fetchval(WAITING):
                # Otherwise a transaction sees the same sessions each time.
                await holder.execute("SELECT pg_stat_clear_snapshot()")
            fleet.kill(victim)
            with pytest.raises(Interrupted):
                await call
        # Postgres does not know that the server is dead. It may execute the write before this retry or after it.
        reply = await ledger.send_once(intent, other.port)
        assert reply.status == 201, reply
        fleet.start(victim)
        scale.progress(f"killed while waiting: {crash + 1}")
    await audit(deployment, fleet, ledger)
