"""A revocation holds over all processes: the test sends to several of them at once."""

import time
from collections import Counter

from tests.acceptance.service import Server
from tests.acceptance.tenants import Tenants

from .race import at_once, get

USAGE = "/v1/usage"


async def test_a_revoked_api_key_is_refused_by_every_process(server: Server, tenants: Tenants) -> None:
    workspace = tenants.workspace()
    key, admin = tenants.api_key(workspace), tenants.client(workspace, "admin:api_keys")
    # Each request has its own address, because rejected API keys are limited by address.
    requests = [get(USAGE, key.key, f"10.0.{number // 250}.{number % 250}") for number in range(1000)]
    # Each process has just cached the API key.
    assert {reply.status for reply in await at_once(server, requests[:50])} == {200}
    assert admin.delete(f"/v1/api-keys/{key.id}").status_code == 204
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
