"""Requesting a signed URL for an upload."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.access import Caller
from domain.documents import Draft
from domain.errors import PayloadTooLarge, QuotaExceeded
from ports.queries import Usage
from ports.storage import UploadTerms
from tests.domain.world import NEVER_ASKED, World, followed, members

LEAST: dict[str, object] = {"name": "a.pdf", "mime_type": "application/pdf"}
LIMIT = 5 * 2**30


async def terms_of(world: World, url: str) -> UploadTerms | None:
    path, query = followed(url)
    return world.storage.open_upload(path, query, world.clock())


async def test_the_upload_url_is_a_signed_put_that_works_for_15_minutes(world: World) -> None:
    caller = await world.caller()
    signed = (await world.request_upload(caller, LEAST)).request
    assert signed.method == "PUT"
    assert signed.expires_at == world.clock() + timedelta(minutes=15)
    world.clock.advance(minutes=14, seconds=59)
    assert await terms_of(world, signed.url)
    world.clock.advance(seconds=1)
    assert await terms_of(world, signed.url) is None


async def test_the_url_binds_the_type_and_the_length_and_checksum_that_are_sent(world: World, caller: Caller) -> None:
    sent = {"name": "a.csv", "mime_type": "text/csv; charset=utf-8", "size_bytes": 10, "sha256": "AB" * 32}
    for more, size_bytes, sha256 in (
        ({}, 10, "ab" * 32),
        ({"size_bytes": None, "sha256": None}, None, None),
    ):
        upload = await world.request_upload(caller, {**sent, **more})
        assert await terms_of(world, upload.request.url) == UploadTerms(
            path=upload.path, mime_type="text/csv; charset=utf-8", size_bytes=size_bytes, sha256=sha256
        )
        assert upload.request.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert await world.storage_paths() == set()
    assert await world.documents.usage(caller.workspace_id) == Usage(0, 1000, 0)


async def test_each_call_returns_a_new_path_of_the_workspace_that_can_be_recorded(world: World, caller: Caller) -> None:
    sent = {**LEAST, "name": "Vertr\xe4ge 2026.pdf"}
    paths = [(await world.request_upload(caller, sent)).path for _ in range(2)]
    assert len(set(paths)) == 2
    for path in paths:
        assert re.fullmatch(rf"workspaces/{caller.workspace_id}/documents/[0-9A-Z]{{26}}/Vertrage-2026\.pdf", path)
        assert Draft.read(members(path), caller.workspace_id).storage_path == path


async def test_a_size_that_fits_the_quota_exactly_gets_a_url_and_one_byte_more_does_not(world: World) -> None:
    caller = await world.caller(quota_bytes=10)
    await world.record(caller, b"1234567")
    await world.request_upload(caller, {**LEAST, "size_bytes": 3})
    with pytest.raises(QuotaExceeded) as refused:
        await world.request_upload(caller, {**LEAST, "size_bytes": 4})
    assert vars(refused.value) == {"limit_bytes": 10, "used_bytes": 7, "requested_bytes": 4}
    await world.workspaces.update(caller.workspace_id, None, 2)
    with pytest.raises(QuotaExceeded):
        await world.request_upload(caller, {**LEAST, "size_bytes": 0})


async def test_a_size_of_5_gib_gets_a_url_and_one_byte_more_is_too_large(world: World) -> None:
    caller = await world.caller(quota_bytes=2**62)
    await world.request_upload(caller, {**LEAST, "size_bytes": LIMIT})
    for size in (LIMIT + 1, 2**63 - 1):
        with pytest.raises(PayloadTooLarge) as refused:
            await world.request_upload(caller, {**LEAST, "size_bytes": size})
        assert refused.value.limit_bytes == LIMIT


async def test_without_a_size_the_quota_is_not_read(world: World) -> None:
    caller = await world.caller(quota_bytes=0)
    await replace(world.request_upload, documents=NEVER_ASKED)(caller, LEAST)
