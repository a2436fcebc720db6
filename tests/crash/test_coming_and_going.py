"""Documents are created and deleted while servers are killed: each delete happens once and returns the quota."""

import asyncio
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

import pytest

from . import scale
from .deployment import Deployment
from .fleet import Fleet
from .ledger import PATIENCE, Ledger
from .ulids import to_prefixed
from .wire import Interrupted, Reply, message, send

CLIENTS = 16
EACH_KILL = 12
"""Acknowledged deletes between two kills."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(scale.of(120, 3600))]


@dataclass
class Tally:
    """What the clients were answered."""

    deleted: set[str]
    interrupted: int = 0


async def send_until_204(tally: Tally, fleet: Fleet, request: bytes) -> Reply:
    """Send the request to one server after the other until one answers 204."""
    node = None
    async with asyncio.timeout(PATIENCE):
        while True:
            node = fleet.another(node)
            try:
                reply = await send(node.port, request)
            except Interrupted:
                tally.interrupted += 1
                continue
            # A 404 is wrong: the receipt of the first request answers the retry.
            assert reply.status in (204, 503), reply
            if reply.status == 204:
                return reply
            await asyncio.sleep(int(reply.headers["retry-after"]))


async def create_and_delete(ledger: Ledger, tally: Tally, fleet: Fleet, number: int) -> None:
    """Create a document, and delete it in three of four cases."""
    (intent,) = ledger.intend(1)
    await ledger.send_until_acknowledged(intent, fleet)
    if number % 4 == 0:
        return
    document = intent.answers[0].data["id"]
    key = ledger.workspace.key
    request = message("DELETE", f"/v1/documents/{document}", key, {"Idempotency-Key": str(uuid4())})
    await send_until_204(tally, fleet, request)
    tally.deleted.add(document)
    assert (await send_until_204(tally, fleet, request)).replayed
    # A late retry of the create is a replay and restores nothing.
    again = await ledger.send_once(intent, fleet.another().port)
    assert again.status == 503 or again.replayed


async def test_killed_servers_delete_each_document_once_and_return_its_quota(deployment: Deployment) -> None:
    async with deployment.fleet(3) as fleet:
        ledger, tally, numbers = Ledger(await deployment.workspace()), Tally(set()), count(1)
        over = asyncio.Event()

        async def call() -> None:
            while not over.is_set():
                try:
                    await create_and_delete(ledger, tally, fleet, next(numbers))
                except Interrupted:
                    tally.interrupted += 1

        async with asyncio.TaskGroup() as clients:
            for _ in range(CLIENTS):
                clients.create_task(call())
            for kill in range(scale.SERVER_KILLS // 4):
                await fleet.until_up(2)
                wanted = len(tally.deleted) + EACH_KILL
                while len(tally.deleted) < wanted:  # noqa: ASYNC110  the clients set no event
                    await asyncio.sleep(0.01)
                victim = fleet.another()
                fleet.kill(victim)
                fleet.start(victim)
                scale.progress(f"servers killed: {kill + 1}, {ledger}, {len(tally.deleted)} deleted")
            over.set()
        assert tally.interrupted + ledger.interrupted > 0
        await compare(deployment, ledger, tally)


async def compare(deployment: Deployment, ledger: Ledger, tally: Tally) -> None:
    """Check that exactly the deleted documents have no row, and that every counter is exact."""
    workspace = ledger.workspace.uuid
    async with deployment.sql() as sql, sql.transaction(isolation="repeatable_read", readonly=True):
        documents = await sql.fetch("SELECT id, storage_path FROM documents WHERE workspace_id = $1", workspace)
        objects = await sql.fetch("SELECT * FROM objects WHERE workspace_id = $1", workspace)
        events = await sql.fetch("SELECT * FROM events WHERE workspace_id = $1 ORDER BY seq", workspace)
        usage = await sql.fetchrow("SELECT * FROM usage WHERE workspace_id = $1", workspace)
    recorded = {intent.answers[0].data["id"] for intent in ledger.intents}
    assert len(recorded) == len(ledger.intents)
    assert {to_prefixed("doc_", row["id"]) for row in documents} == recorded - tally.deleted

    states = {to_prefixed("doc_", row["document_id"]): row["state"] for row in objects}
    assert states == {id_: "condemned" if id_ in tally.deleted else "recorded" for id_ in recorded}
    sizes = [row["size_bytes"] for row in objects if row["state"] == "recorded"]
    assert (usage["used_bytes"], usage["documents"]) == (sum(sizes), len(sizes))

    assert [row["seq"] for row in events] == list(range(1, len(events) + 1))
    deletes = [row["document_id"] for row in events if row["kind"] == "document.deleted"]
    assert len(deletes) == len(set(deletes)) == len(tally.deleted)
