"""Requesting a signed URL for an upload."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.memory.disks import MemoryDisks
from domain.access import Caller
from domain.errors import DiskFull, Invalid, PayloadTooLarge, QuotaExceeded
from domain.uploads import UploadRules
from tests.domain.world import Instead, World

LEAST: dict[str, object] = {"name": "a.pdf", "mime_type": "application/pdf"}
LIMIT = 5 * 2**30


async def test_a_size_that_fits_the_quota_exactly_gets_a_url_and_one_byte_more_does_not(world: World) -> None:
    caller = await world.caller(quota_bytes=10)
    await world.record(caller, b"1234567")
    await world.request_upload(caller, {**LEAST, "size_bytes": 3})
    # The reservation of an issued upload counts.
    with pytest.raises(QuotaExceeded) as refused:
        await world.request_upload(caller, {**LEAST, "size_bytes": 1})
    assert vars(refused.value) == {"limit_bytes": 10, "used_bytes": 10, "requested_bytes": 1}
    await world.request_upload(caller, {**LEAST, "size_bytes": 0})


async def test_a_size_of_5_gib_gets_a_url_and_one_byte_more_is_too_large(world: World) -> None:
    caller = await world.caller(quota_bytes=2**62)
    await world.request_upload(caller, {**LEAST, "size_bytes": LIMIT})
    for size in (LIMIT + 1, 2**63 - 1):
        with pytest.raises(PayloadTooLarge) as refused:
            await world.request_upload(caller, {**LEAST, "size_bytes": size})
        assert refused.value.limit_bytes == LIMIT


async def test_without_a_size_a_store_that_cannot_bind_the_upload_reserves_a_share(world: World) -> None:
    caller = await world.caller(quota_bytes=100)
    await world.request_upload(caller, LEAST)
    assert (await world.documents.usage(caller.workspace_id)).reserved_bytes == 0
    unbound: Any = Instead(world.storage)
    unbound.binds_unsized_uploads = False
    on_s3 = replace(world.request_upload, storage=unbound, rules=UploadRules(unsized_bytes=60))
    await on_s3(caller, LEAST)
    with pytest.raises(QuotaExceeded) as refused:
        await on_s3(caller, LEAST)
    assert vars(refused.value) == {"limit_bytes": 100, "used_bytes": 60, "requested_bytes": 60}
    await on_s3(caller, {**LEAST, "size_bytes": 40})


async def test_an_operator_can_require_the_size(world: World, caller: Caller) -> None:
    strict = replace(world.request_upload, rules=UploadRules(require_size=True))
    with pytest.raises(Invalid) as refused:
        await strict(caller, LEAST)
    assert refused.value.fields.keys() == {"size_bytes"}
    await strict(caller, {**LEAST, "size_bytes": 0})


async def test_no_url_is_issued_for_a_disk_that_is_full_or_would_be(world: World) -> None:
    caller = await world.caller(quota_bytes=2**62)
    for floor, size_bytes in ((101, 0), (90, 11)):
        limited = replace(world.request_upload, disks=MemoryDisks(100, floor))
        with pytest.raises(DiskFull):
            await limited(caller, {**LEAST, "size_bytes": size_bytes})
    assert (await world.documents.usage(caller.workspace_id)).reserved_bytes == 0
    # A floor of zero is none.
    await replace(world.request_upload, disks=MemoryDisks(0, 0))(caller, LEAST)
