"""GET /v1/usage: what a workspace holds, to the byte."""

from functools import partial
from uuid import uuid4

import pytest

from .client import Client, data_of, error_of, together
from .keys import minted
from .tenants import Tenants

USAGE = "/v1/usage"


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    return tenants.client(quota="10000")


def usage(client: Client) -> tuple[int, int, int]:
    data = data_of(client.get(USAGE), 200)
    assert list(data) == ["used_bytes", "quota_bytes", "documents"]
    return data["used_bytes"], data["quota_bytes"], data["documents"]


def test_each_document_counts_with_the_bytes_that_are_stored(owner: Client) -> None:
    used, _, documents = usage(owner)
    for number, size in enumerate((5, 0, 1, 100), start=1):
        owner.recorded(owner.upload(b"x" * size))
        used += size
        assert usage(owner) == (used, 10000, documents + number)


def test_what_is_uploaded_refused_or_replayed_does_not_count(owner: Client) -> None:
    before = usage(owner)
    path, key = owner.upload(b"x" * 600), {"Idempotency-Key": str(uuid4())}
    assert usage(owner) == before
    for _ in range(3):
        data_of(owner.record(path, key), 201)
    error_of(owner.record(path), 409, "storage_conflict")
    error_of(owner.record(owner.upload(b"x" * 9999)), 403, "quota_exceeded")
    assert owner.record(owner.upload(), name="").status_code == 400
    assert usage(owner) == (before[0] + 600, 10000, before[2] + 1)


def test_from_nothing_to_the_last_byte_that_fits_with_many_at_once(tenants: Tenants) -> None:
    client = tenants.client(quota="1000")
    assert usage(client) == (0, 1000, 0)
    paths = [client.upload(b"x" * 90) for _ in range(20)]
    answers = together([partial(client.record, path) for path in paths])
    assert [answer.status_code for answer in answers].count(201) == 11
    assert usage(client) == (11 * 90, 1000, 11)
    client.recorded(client.upload(b"x" * 10))
    assert usage(client) == (1000, 1000, 12)


def test_a_workspace_sees_its_own_usage_with_every_key_that_reads(
    owner: Client, manager: Client, tenants: Tenants
) -> None:
    before, ours = usage(owner), usage(manager)
    manager.recorded(manager.upload(b"1234567"))
    reader = tenants.connect(minted(manager, permissions=["read:documents"], rate_limit_tier="unmetered")["key"])
    assert usage(reader) == usage(manager) == (ours[0] + 7, ours[1], ours[2] + 1)
    assert usage(owner) == before


def test_another_quota_shows_at_once_even_below_what_is_used(owner: Client, tenants: Tenants) -> None:
    owner.recorded(owner.upload(b"x" * 10))
    used, _, documents = usage(owner)
    for quota, size in (("3", 3), ("2GiB", 2 * 2**30), ("10000", 10000)):
        tenants.operator.set_quota(owner.workspace, quota)
        assert usage(owner) == (used, size, documents)
