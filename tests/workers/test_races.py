"""What is counted, limited or unique is so over all processes: everything here happens at once in several of them."""

import asyncio
import json
import time
from collections import Counter
from uuid import uuid4

import pytest

from tests.acceptance.client import Client
from tests.acceptance.service import Server
from tests.acceptance.tenants import Tenants
from tests.crash.wire import ask

from .conftest import PLAN
from .processes import port_of
from .race import at_once, create, delete, get, patch

NOWHERE = "/v1/nowhere"
"""Costs nothing but the admission, and is counted like everything else."""
USAGE = "/v1/usage"
METRICS = "/metrics"


async def test_of_400_calls_at_once_exactly_as_many_are_admitted_as_the_plan_has(
    server: Server, tenants: Tenants
) -> None:
    for _ in range(5):
        before = await fallbacks(server)
        key = tenants.api_key(tenants.workspace("starter"), tier="standard").key
        replies = await at_once(server, [get(NOWHERE, key)] * 400)
        # A machine that does not let Valkey run for 35 ms has workers count by themselves: then nothing is shown.
        if await fallbacks(server) == before:
            break
    else:
        raise AssertionError(f"counted without Valkey each time\n{server.said()}")
    assert Counter(reply.status for reply in replies) == {404: PLAN, 429: 400 - PLAN}
    remaining = sorted(int(reply.headers["x-ratelimit-remaining"]) for reply in replies if reply.status == 404)
    assert remaining == list(range(PLAN))


async def test_one_key_at_once_is_one_document_and_equal_answers(server: Server, tenants: Tenants) -> None:
    client = tenants.client()
    bodies = [client.document(client.upload()) for _ in range(10)]
    for body in bodies:
        replies = await at_once(server, [create(key_of(client), body, key := str(uuid4()))] * 40)
        assert {reply.status for reply in replies} == {201}, key
        assert len({reply.body for reply in replies}) == 1
        assert sum(not reply.replayed for reply in replies) == 1
    usage = await ask(port_of(server), get(USAGE, key_of(client)))
    assert usage.data["documents"] == len(bodies)


async def test_the_quota_is_exact_to_the_byte(server: Server, tenants: Tenants) -> None:
    workspace = tenants.workspace(quota="1000")
    client = tenants.client(workspace)
    bodies = [client.document(client.upload(bytes(90))) for _ in range(60)]
    replies = await at_once(server, [create(key_of(client), body, str(uuid4())) for body in bodies])
    assert Counter(reply.status for reply in replies) == {201: 11, 403: 49}
    assert all(json.loads(reply.body)["error"]["code"] == "quota_exceeded" for reply in replies if reply.status == 403)
    usage = await ask(port_of(server), get(USAGE, key_of(client)))
    assert (usage.data["documents"], usage.data["used_bytes"]) == (11, 990)


async def test_of_changes_of_one_state_one_is_made_and_of_deletes_one_deletes(server: Server, tenants: Tenants) -> None:
    client = tenants.client()
    for _ in range(5):
        document = client.recorded()["id"]
        changes = [patch(key_of(client), document, {"name": f"{number}.txt"}, '"1"') for number in range(40)]
        changed = await at_once(server, changes)
        assert Counter(reply.status for reply in changed) == {200: 1, 412: 39}
        deleted = await at_once(server, [delete(key_of(client), document)] * 40)
        assert Counter(reply.status for reply in deleted) == {204: 1, 404: 39}
    usage = await ask(port_of(server), get(USAGE, key_of(client)))
    assert (usage.data["documents"], usage.data["used_bytes"]) == (0, 0)


@pytest.mark.parametrize("by", ["command", "API"])
async def test_a_revoked_key_opens_nothing_after_a_second_in_any_process(
    server: Server, tenants: Tenants, by: str
) -> None:
    workspace = tenants.workspace()
    key, admin = tenants.api_key(workspace), tenants.client(workspace, "admin:api_keys")
    # Each from an address of its own: a revoked key is a guess, and those are limited by address.
    asked = [get(USAGE, key.key, f"10.0.{number // 250}.{number % 250}") for number in range(1000)]
    assert {reply.status for reply in await at_once(server, asked[:50])} == {200}
    if by == "API":
        # At once, so what every process remembers is as young as can be.
        assert admin.delete(f"/v1/api-keys/{key.id}").status_code == 204
    else:
        await asyncio.to_thread(server.cli.ask, "keys", "revoke", key.id)
    revoked_at = time.monotonic()
    asks = 0
    while time.monotonic() < revoked_at + 1:
        asks += 1
        address = f"10.{1 + asks // 250}.0.{asks % 250}"
        await at_once(server, [get(USAGE, key.key, address)] * 10)
    later = [reply.status for first in range(0, 1000, 50) for reply in await at_once(server, asked[first : first + 50])]
    assert Counter(later) == {401: 1000}


async def test_any_process_tells_the_counters_of_all(server: Server, tenants: Tenants) -> None:
    client = tenants.client()
    before = await counted(server)
    await at_once(server, [get(USAGE, key_of(client))] * 100)
    replies = await at_once(server, [get(METRICS, "")] * 8 * server.workers)
    assert {answers_told(reply.body) for reply in replies} == {before + 100}


def key_of(client: Client) -> str:
    assert client.key is not None
    return client.key


async def counted(server: Server) -> int:
    return answers_told((await ask(port_of(server), get(METRICS, ""))).body)


async def fallbacks(server: Server) -> float:
    """How many requests were counted without Valkey so far."""
    reported = (await ask(port_of(server), get(METRICS, ""))).body.decode()
    return sum(
        float(line.split()[-1])
        for line in reported.splitlines()
        if line.startswith("dossier_rate_limit_fallback_total ")
    )


def answers_told(metrics: bytes) -> int:
    """How many answers of the usage route the counters tell of."""
    return sum(
        int(float(line.split()[-1]))
        for line in metrics.decode().splitlines()
        if line.startswith("dossier_http_requests_total{") and f'"{USAGE}"' in line
    )
