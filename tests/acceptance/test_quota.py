"""The quota of a workspace and GET /v1/usage: exact to the byte, for any number of simultaneous creates."""

from functools import partial

import httpx

from .client import Client, data_of, error_of, together
from .documents import USAGE, is_replay, new_idempotency_key, usage
from .tenants import Tenants


def over(answer: httpx.Response) -> tuple[int, int, int]:
    """Return limit, used and requested bytes of a refusal for the quota."""
    details = error_of(answer, 403, "quota_exceeded")["details"]
    assert list(details) == ["limit_bytes", "used_bytes", "requested_bytes"]
    return details["limit_bytes"], details["used_bytes"], details["requested_bytes"]


def announce(client: Client, size_bytes: int) -> httpx.Response:
    body = {"name": "a", "mime_type": "a/b", "size_bytes": size_bytes}
    return client.post("/v1/documents/upload-url", body)


def test_the_quota_is_exact_to_the_byte(tenants: Tenants) -> None:
    client = tenants.client(quota="1000")
    assert data_of(client.get(USAGE), 200) == {"used_bytes": 0, "quota_bytes": 1000, "documents": 0}
    client.recorded(client.upload(b"x" * 600))
    too_much, fits, one, empty = (client.upload(b"x" * size) for size in (401, 400, 1, 0))
    assert over(client.record(too_much, size_bytes=401)) == over(announce(client, 401)) == (1000, 600, 401)
    assert announce(client, 400).status_code == 200
    client.recorded(fits)
    assert over(client.record(one)) == over(announce(client, 1)) == (1000, 1000, 1)
    client.recorded(empty)
    assert announce(client, 0).status_code == 200
    assert client.sign_upload().upload_url

    tenants.operator.set_quota(client.workspace, "1401")
    assert client.recorded(too_much)["size_bytes"] == 401
    assert data_of(client.get(USAGE), 200) == {"used_bytes": 1401, "quota_bytes": 1401, "documents": 4}
    for quota, size in (("3", 3), ("2GiB", 2 * 2**30)):
        tenants.operator.set_quota(client.workspace, quota)
        assert data_of(client.get(USAGE), 200)["quota_bytes"] == size


def test_uploads_refusals_and_replays_are_not_charged(tenants: Tenants) -> None:
    client, key = tenants.client(quota="1000"), new_idempotency_key()
    path = client.upload(b"x" * 100)
    assert client.record(path, name="").status_code == 400
    assert client.record(path, size_bytes=99).status_code == 400
    # A refusal for the quota leaves the idempotency key free.
    assert over(client.record(client.upload(b"x" * 1001), key)) == (1000, 0, 1001)
    assert usage(client) == (0, 0)
    answers = [client.record(path, key) for _ in range(3)]
    assert [is_replay(answer) for answer in answers] == [False, True, True]
    error_of(client.record(path), 409, "storage_conflict")
    client.sign_upload(size_bytes=300)
    assert usage(client) == (100, 1)


def test_exactly_as_many_simultaneous_creates_succeed_as_fit(tenants: Tenants) -> None:
    client = tenants.client(quota="599")
    paths = [client.upload(b"x" * 100) for _ in range(24)]
    answers = together([partial(client.record, path) for path in paths])
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [403] * 19
    assert {over(answer) for answer in answers if answer.status_code == 403} == {(599, 500, 100)}
    assert usage(client) == (500, 5)
    client.recorded(client.upload(b"x" * 99))
    assert usage(client) == (599, 6)


def test_every_reading_key_sees_the_usage_of_its_own_workspace(
    tenants: Tenants, manager: Client, neighbour: Client
) -> None:
    before, theirs = usage(manager), usage(neighbour)
    manager.recorded(manager.upload(b"1234567"))
    reader = tenants.client(manager.workspace, "read:documents")
    assert usage(reader) == usage(manager) == (before[0] + 7, before[1] + 1)
    assert usage(neighbour) == theirs
