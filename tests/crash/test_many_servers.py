"""Several servers on one database share idempotency keys, quotas and workspace locks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from . import scale
from .books import audit
from .deployment import Deployment
from .fleet import Fleet
from .ledger import Ledger
from .locks import blocked
from .wire import line_to, send

KEYS_AT_ONCE = 10
CREATES = 200
QUOTA = 28_443
"""Bytes, which about a quarter of the documents use up."""
BLOCKED_SECONDS = 5
"""The time for which a workspace is locked. It is longer than the time limit of a statement."""
STUCK_CLIENTS = 60

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


async def test_the_quota_is_exact_across_servers(deployment: Deployment, fleet: Fleet) -> None:
    for _ in range(scale.QUOTAS):
        ledger = Ledger(await deployment.workspace(QUOTA))
        intents = ledger.intend(CREATES)
        replies = await asyncio.gather(*(send(fleet.another().port, intent.request) for intent in intents))
        taken = sum(intent.size for intent, reply in zip(intents, replies, strict=True) if reply.status == 201)
        for intent, reply in zip(intents, replies, strict=True):
            if reply.status == 403:
                error = reply.error
                assert error["code"] == "quota_exceeded"
                assert error["details"]["limit_bytes"] == QUOTA
                # No document is deleted here, so a size that did not fit then does not fit now.
                assert intent.size > QUOTA - error["details"]["used_bytes"] >= QUOTA - taken
            else:
                ledger.note(intent, reply)
        assert 0 < ledger.acknowledged < CREATES
        await audit(deployment, fleet, ledger)
        async with deployment.sql() as sql:
            usage = await sql.fetchrow("SELECT * FROM usage WHERE workspace_id = $1", ledger.workspace.uuid)
        assert (usage["used_bytes"], usage["documents"]) == (taken, ledger.acknowledged)
        assert taken <= QUOTA


async def test_a_locked_workspace_delays_no_other_and_loses_no_write(deployment: Deployment, fleet: Fleet) -> None:
    stuck = Ledger(await deployment.workspace())
    others = [Ledger(await deployment.workspace()) for _ in range(4)]
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as clients, blocked(deployment, stuck.workspace) as lock:
        release = loop.time() + BLOCKED_SECONDS
        # There are more writes than the connections that all servers together may open.
        for intent in stuck.intend(STUCK_CLIENTS):
            clients.create_task(stuck.send_once(intent, fleet.another().port))
        first = await lock.until_a_write_waits()
        calls = [
            ledger.send_once(intent, fleet.another().port)
            for ledger in others
            for intent in ledger.intend(CREATES // len(others))
        ]
        replies = await asyncio.gather(*calls)
        assert [reply.status for reply in replies] == [201] * CREATES
        assert await lock.waiting() == first, "the other workspaces had to wait until the blocked write was given up"
        assert stuck.acknowledged == 0
        await asyncio.sleep(release - loop.time())
    async with asyncio.TaskGroup() as clients:
        for intent in stuck.intents:
            clients.create_task(stuck.send_until_acknowledged(intent, fleet))
    for ledger in (stuck, *others):
        await audit(deployment, fleet, ledger)
