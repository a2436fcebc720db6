"""Documents that are recorded, linked and deleted while servers are killed: each delete is done once, and gives back
what it took."""

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
from .wire import Interrupted, Reply, ask, message

CALLERS = 16
EACH_KILL = 12
"""Deletes that are acknowledged between two kills."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(scale.of(120, 3600))]


@dataclass
class Tally:
    """What the callers were told."""

    deleted: set[str]
    interrupted: int = 0


async def insist_on_204(tally: Tally, fleet: Fleet, request: bytes) -> Reply:
    """Send it to one server after the other until one says that it is done."""
    node = None
    async with asyncio.timeout(PATIENCE):
        while True:
            node = fleet.another(node)
            try:
                reply = await ask(node.port, request)
            except Interrupted:
                tally.interrupted += 1
                continue
            # Never 404: a retry is answered by the receipt of the first.
            assert reply.status in (204, 503), reply
            if reply.status == 204:
                return reply
            await asyncio.sleep(int(reply.headers["retry-after"]))


async def come_and_go(ledger: Ledger, tally: Tally, fleet: Fleet, number: int) -> None:
    """Record a document; delete three of four."""
    (intent,) = ledger.intend(1)
    await ledger.fetch_with_retry(intent, fleet)
    if number % 4 == 0:
        return
    document = intent.answers[0].data["id"]
    key = ledger.workspace.key
    request = message("DELETE", f"/v1/documents/{document}", key, {"Idempotency-Key": str(uuid4())})
    await insist_on_204(tally, fleet, request)
    tally.deleted.add(document)
    assert (await insist_on_204(tally, fleet, request)).replayed
    # The create is answered as it was, and brings nothing back.
    again = await ledger.ask_once(intent, fleet.another().port)
    assert again.status == 503 or again.replayed


async def test_killed_servers_delete_nothing_twice_and_give_back_what_was_taken(deployment: Deployment) -> None:
    async with deployment.fleet(3) as fleet:
        ledger, tally, numbers = Ledger(await deployment.workspace()), Tally(set()), count(1)
        over = asyncio.Event()

        async def call() -> None:
            while not over.is_set():
                try:
                    await come_and_go(ledger, tally, fleet, next(numbers))
                except Interrupted:
                    tally.interrupted += 1

        async with asyncio.TaskGroup() as callers:
            for _ in range(CALLERS):
                callers.create_task(call())
            for kill in range(scale.SERVER_KILLS // 4):
                await fleet.until_up(2)
                wanted = len(tally.deleted) + EACH_KILL
                while len(tally.deleted) < wanted:  # noqa: ASYNC110  each delete would have to tell
                    await asyncio.sleep(0.01)
                victim = fleet.another()
                fleet.kill(victim)
                fleet.start(victim)
                scale.progress(f"servers killed: {kill + 1}, {ledger}, {len(tally.deleted)} deleted")
            over.set()
        assert tally.interrupted + ledger.interrupted > 0
        await compare(deployment, ledger, tally)


async def compare(deployment: Deployment, ledger: Ledger, tally: Tally) -> None:
    """The rows are those of the documents that were not deleted, and every counter is what it counts."""
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
