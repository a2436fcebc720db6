"""Limits, counters and revocations hold over all processes: each test sends to several of them at once."""

import asyncio
import time
from collections import Counter

import pytest

from tests.acceptance.service import Server
from tests.acceptance.tenants import Tenants
from tests.crash.wire import send

from .conftest import PLAN
from .race import at_once, get

NOWHERE = "/v1/nowhere"
"""An unknown path. A request for it is only authenticated and counted."""
USAGE = "/v1/usage"
METRICS = "/metrics"


async def test_of_400_requests_at_once_exactly_the_limit_is_admitted(server: Server, tenants: Tenants) -> None:
    for _ in range(5):
        before = await fallbacks(server)
        key = tenants.api_key(tenants.workspace("starter"), tier="standard").key
        replies = await at_once(server, [get(NOWHERE, key)] * 400)
        # If the machine stalls Valkey for 35 ms, workers fall back to their own counters. Then repeat.
        if await fallbacks(server) == before:
            break
    else:
        raise AssertionError(f"Valkey was too slow each time\n{server.said()}")
    assert Counter(reply.status for reply in replies) == {404: PLAN, 429: 400 - PLAN}
    remaining = sorted(int(reply.headers["x-ratelimit-remaining"]) for reply in replies if reply.status == 404)
    assert remaining == list(range(PLAN))


@pytest.mark.parametrize("revoker", ["command", "API"])
async def test_a_revoked_api_key_is_refused_by_every_process(server: Server, tenants: Tenants, revoker: str) -> None:
    workspace = tenants.workspace()
    key, admin = tenants.api_key(workspace), tenants.client(workspace, "admin:api_keys")
    # Each request has its own address, because rejected API keys are limited by address.
    requests = [get(USAGE, key.key, f"10.0.{number // 250}.{number % 250}") for number in range(1000)]
    assert {reply.status for reply in await at_once(server, requests[:50])} == {200}
    if revoker == "API":
        # At once, so that each process has just cached the API key.
        assert admin.delete(f"/v1/api-keys/{key.id}").status_code == 204
    else:
        await asyncio.to_thread(server.cli.ask, "keys", "revoke", key.id)
    revoked_at = time.monotonic()
    sent = 0
    while time.monotonic() < revoked_at + 1:
        sent += 1
        address = f"10.{1 + sent // 250}.0.{sent % 250}"
        await at_once(server, [get(USAGE, key.key, address)] * 10)
    later = [
        reply.status for first in range(0, 1000, 50) for reply in await at_once(server, requests[first : first + 50])
    ]
    assert Counter(later) == {401: 1000}


async def test_the_metrics_of_any_process_include_all_processes(server: Server, tenants: Tenants) -> None:
    client = tenants.client()
    before = await counted(server)
    await at_once(server, [get(USAGE, str(client.key))] * 100)
    replies = await at_once(server, [get(METRICS, "")] * 8 * server.workers)
    assert {count_of_usage_route(reply.body) for reply in replies} == {before + 100}


async def counted(server: Server) -> int:
    return count_of_usage_route((await send(server.port, get(METRICS, ""))).body)


async def fallbacks(server: Server) -> float:
    """Return how many requests were counted without Valkey so far."""
    reported = (await send(server.port, get(METRICS, ""))).body.decode()
    return sum(
        float(line.split()[-1])
        for line in reported.splitlines()
        if line.startswith("dossier_rate_limit_fallback_total ")
    )


def count_of_usage_route(metrics: bytes) -> int:
    """Return the number of responses of the usage route in the metrics."""
    return sum(
        int(float(line.split()[-1]))
        for line in metrics.decode().splitlines()
        if line.startswith("dossier_http_requests_total{") and f'"{USAGE}"' in line
    )
