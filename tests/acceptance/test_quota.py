"""The quota of a workspace and GET /v1/usage, end to end. Races for the last bytes are in tests/contracts."""

import httpx

from .client import Client, data_of, error_of
from .documents import USAGE, is_replay, new_idempotency_key, usage
from .tenants import Tenants


def over(answer: httpx.Response) -> tuple[int, int, int]:
    """Return the limit, the used and the requested bytes in a quota error."""
    details = error_of(answer, 403, "quota_exceeded")["details"]
    assert list(details) == ["limit_bytes", "used_bytes", "requested_bytes"]
    return details["limit_bytes"], details["used_bytes"], details["requested_bytes"]


def announce(client: Client, size_bytes: int) -> httpx.Response:
    body = {"name": "a", "mime_type": "a/b", "size_bytes": size_bytes}
    return client.post("/v1/documents/upload-url", body)


def test_the_quota_is_exact_to_the_byte_and_neither_uploads_nor_refusals_nor_replays_are_charged(
    tenants: Tenants,
) -> None:
    client, key = tenants.client(quota="1000"), new_idempotency_key()
    assert data_of(client.get(USAGE), 200) == {"used_bytes": 0, "quota_bytes": 1000, "documents": 0}
    first, too_much, fits, empty = (client.upload(b"x" * size) for size in (600, 401, 400, 0))
    assert client.record(first, size_bytes=599).status_code == 400
    assert [is_replay(client.record(first, key)) for _ in range(3)] == [False, True, True]
    assert usage(client) == (600, 1)
    assert over(client.record(too_much)) == over(announce(client, 401)) == (1000, 600, 401)
    assert announce(client, 400).status_code == 200
    client.recorded(fits)
    assert over(announce(client, 1)) == (1000, 1000, 1)
    client.recorded(empty)
    tenants.operator.set_quota(client.workspace, "1401")
    assert client.recorded(too_much)["size_bytes"] == 401
    assert data_of(client.get(USAGE), 200) == {"used_bytes": 1401, "quota_bytes": 1401, "documents": 4}
