"""The workspace's quota: exact to the byte, whoever asks and however many at once."""

from functools import partial
from uuid import uuid4

import httpx
import pytest

from .client import Client, error_of, together
from .tenants import Tenants


def over(answer: httpx.Response) -> dict[str, int]:
    details: dict[str, int] = error_of(answer, 403, "quota_exceeded")["details"]
    return details


def used(client: Client) -> int:
    """What the workspace has used, as told to somebody who asks for more than there can be."""
    body = {"name": "a", "mime_type": "a/b", "size_bytes": 5_000_000_000}
    return over(client.post("/v1/documents/upload-url", body))["used_bytes"]


@pytest.fixture(scope="module")
def small(tenants: Tenants) -> Client:
    """A workspace of 1,000 bytes; the tests of this module fill it up step by step and leave room again."""
    return tenants.client(quota="1000")


def test_the_quota_is_exact_to_the_byte(tenants: Tenants) -> None:
    client = tenants.client(quota="1000")
    client.recorded(client.upload(b"x" * 600))
    too_much, fits, one, nothing = (client.upload(b"x" * size) for size in (401, 400, 1, 0))
    refused = client.record(too_much, size_bytes=401)
    assert over(refused) == {"limit_bytes": 1000, "used_bytes": 600, "requested_bytes": 401}
    client.recorded(fits)
    assert over(client.record(one)) == {"limit_bytes": 1000, "used_bytes": 1000, "requested_bytes": 1}
    client.recorded(nothing)
    body = {"name": "a", "mime_type": "a/b", "size_bytes": 1}
    at_upload = client.post("/v1/documents/upload-url", body)
    assert over(at_upload) == {"limit_bytes": 1000, "used_bytes": 1000, "requested_bytes": 1}
    client.sign_upload(size_bytes=0)
    client.sign_upload()

    tenants.operator.set_quota(client.workspace, "1401")
    assert client.recorded(too_much)["size_bytes"] == 401


def test_what_is_refused_replayed_or_only_announced_is_not_charged(small: Client) -> None:
    before = used(small)
    path, key = small.upload(b"x" * 100), {"Idempotency-Key": str(uuid4())}
    small.record(path, name="")
    small.record(path, size_bytes=99)
    small.record(path, key)
    small.record(path, key)
    small.record(path)
    small.sign_upload(size_bytes=300)
    small.upload(b"x" * 300)
    assert used(small) == before + 100


def test_the_stored_size_is_charged_and_an_announced_one_that_fits_is_let_through(small: Client) -> None:
    left = 1000 - used(small)
    small.sign_upload(size_bytes=left)
    body = {"name": "a", "mime_type": "a/b", "size_bytes": left + 1}
    refused = over(small.post("/v1/documents/upload-url", body))
    assert refused == {"limit_bytes": 1000, "used_bytes": 1000 - left, "requested_bytes": left + 1}


def test_a_refusal_for_the_quota_leaves_the_idempotency_key_free(small: Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    over(small.record(small.upload(b"x" * 1001), key))
    answer = small.record(small.upload(b"x"), key)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers


def test_a_race_for_the_last_room_is_won_by_exactly_as_many_as_fit(tenants: Tenants) -> None:
    client = tenants.client(quota="599")
    paths = [client.upload(b"x" * 100) for _ in range(24)]
    answers = together([partial(client.record, path) for path in paths])
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [403] * 19
    for answer in answers:
        if answer.status_code == 403:
            assert over(answer) == {"limit_bytes": 599, "used_bytes": 500, "requested_bytes": 100}
    assert used(client) == 500
