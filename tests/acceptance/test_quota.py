"""The quota of a workspace and GET /v1/usage, end to end. Races for the last bytes are in tests/contracts."""

import httpx

from .client import Client, data_of, error_of
from .documents import USAGE, is_replay, new_idempotency_key, reserved_bytes, usage
from .tenants import Tenants


def over(answer: httpx.Response) -> tuple[int, int, int]:
    """Return the limit, the used and the requested bytes in a quota error."""
    details = error_of(answer, 403, "quota_exceeded")["details"]
    assert list(details) == ["limit_bytes", "used_bytes", "requested_bytes"]
    return details["limit_bytes"], details["used_bytes"], details["requested_bytes"]


def announce(client: Client, size_bytes: int) -> httpx.Response:
    body = {"name": "a", "mime_type": "a/b", "size_bytes": size_bytes}
    return client.post("/v1/documents/upload-url", body)


def test_only_recorded_bytes_are_charged_and_the_quota_is_exact_to_the_byte(tenants: Tenants) -> None:
    client, key = tenants.client(quota="1401"), new_idempotency_key()
    assert data_of(client.get(USAGE), 200) == {"used_bytes": 0, "quota_bytes": 1401, "documents": 0}
    first, too_much, fits, empty = (client.upload(b"x" * size) for size in (600, 401, 400, 0))
    # Uploaded bytes are reserved, and not used yet.
    assert (usage(client), reserved_bytes(client)) == ((0, 0), 1401)
    assert over(announce(client, 1)) == (1401, 1401, 1)
    assert client.record(first, size_bytes=599).status_code == 400
    assert [is_replay(client.record(first, key)) for _ in range(3)] == [False, True, True]
    assert usage(client) == (600, 1)
    tenants.operator.set_quota(client.workspace, "1400")
    assert over(client.record(too_much)) == (1400, 1000, 401)
    assert announce(client, 1).status_code == 403
    # Nothing fits into a quota that is exceeded, except a file of 0 bytes.
    assert announce(client, 0).status_code == 200
    tenants.operator.set_quota(client.workspace, "1401")
    for path, size in ((fits, 400), (empty, 0), (too_much, 401)):
        assert client.recorded(path)["size_bytes"] == size
    assert over(announce(client, 1)) == (1401, 1401, 1)
    assert data_of(client.get(USAGE), 200) == {"used_bytes": 1401, "quota_bytes": 1401, "documents": 4}
