"""Promise 4: recorded bytes cannot be swapped. Eight ways to try, on a bucket without versions and on one with them.

Whatever the attack: who downloads the document gets the recorded bytes, or nothing and 409.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from adapters.in_process.system import Ulids, utc_now
from domain.ids import WorkspaceId
from domain.paths import StoragePath, workspace_prefix
from ports.storage import DownloadTerms, SignedRequest, UploadTerms
from tests.ministack import S3Bucket

RECORDED = b"what was signed by both parties"
OTHER = b"what somebody would rather have"
assert len(RECORDED) == len(OTHER)
REFUSED = {400, 401, 403, 409, 412}
_new_id = Ulids()


@dataclass
class Victim:
    """A document whose upload URL is in the wrong hands."""

    bucket: S3Bucket
    http: httpx.AsyncClient
    upload: SignedRequest
    terms: DownloadTerms

    async def put(self, signed: SignedRequest, content: bytes) -> int:
        """Send what is not to be there, to a URL."""
        headers = {name: value for name, value in signed.headers.items() if name != "Content-Length"}
        return (await self.http.put(signed.url, headers=headers, content=content)).status_code

    async def sign(self, content: bytes, *, mime_type: str = "application/pdf", minutes: float = 15) -> SignedRequest:
        """A URL for the same path, such as nobody but the service can make."""
        terms = UploadTerms(
            path=self.terms.path,
            mime_type=mime_type,
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        return await self.bucket.storage.sign_upload(terms, utc_now() + timedelta(minutes=minutes))

    async def download(self) -> bytes | None:
        """What comes down; nothing, when the service says that the bytes have changed."""
        signed = await self.bucket.storage.sign_download(self.terms, utc_now() + timedelta(minutes=15))
        if signed is None:
            return None
        answer = await self.http.get(signed.url, headers=dict(signed.headers))
        assert answer.status_code == 200
        return answer.content

    async def delete(self) -> None:
        """Take the bytes away, as an operator's mistake or a lifecycle rule does."""
        await self.bucket.server.client.delete_object(Bucket=self.bucket.name, Key=self.terms.path)


@pytest.fixture(params=["plain", "versioned"])
def bucket(request: pytest.FixtureRequest) -> S3Bucket:
    """Each bucket."""
    found: S3Bucket = request.getfixturevalue(f"s3_{request.param}")
    return found


@pytest.fixture
async def victim(bucket: S3Bucket) -> AsyncIterator[Victim]:
    """A document that was uploaded, and recorded."""
    workspace = WorkspaceId("ws_" + _new_id(utc_now()))
    path = StoragePath(workspace_prefix(workspace) + "documents/contract, (final)+1.pdf")
    upload = await bucket.storage.sign_upload(
        UploadTerms(
            path=path,
            mime_type="application/pdf",
            size_bytes=len(RECORDED),
            sha256=hashlib.sha256(RECORDED).hexdigest(),
        ),
        utc_now() + timedelta(minutes=15),
    )
    async with httpx.AsyncClient() as http:
        headers = {name: value for name, value in upload.headers.items() if name != "Content-Length"}
        assert (await http.put(upload.url, headers=headers, content=RECORDED)).status_code == 200
        stored = await bucket.storage.stat(path)
        assert stored is not None
        assert (stored.version_id is not None) == bucket.is_versioned
        terms = DownloadTerms(path=path, stored=stored, mime_type="application/pdf", disposition="attachment")
        yield Victim(bucket, http, upload, terms)


async def test_the_live_url_does_not_store_again(victim: Victim) -> None:
    for content in (OTHER, RECORDED):
        assert await victim.put(victim.upload, content) in REFUSED
    assert await victim.download() == RECORDED


async def test_a_url_that_has_expired_does_not_store(victim: Victim) -> None:
    await victim.delete()
    assert await victim.put(await victim.sign(RECORDED, minutes=-1), RECORDED) in REFUSED
    assert await victim.download() == (RECORDED if victim.bucket.is_versioned else None)


async def test_a_url_that_was_changed_does_not_store(victim: Victim) -> None:
    await victim.delete()
    url = victim.upload.url
    for changed in (
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace("X-Amz-Expires=900", "X-Amz-Expires=604800").replace("X-Amz-Expires=899", "X-Amz-Expires=604800"),
        url.replace("%3Bif-none-match", ""),
        url.replace("content-length%3B", ""),
        url.partition("?")[0],
    ):
        assert changed != url
        assert await victim.put(replace(victim.upload, url=changed), RECORDED) in REFUSED
    assert await victim.download() == (RECORDED if victim.bucket.is_versioned else None)


async def test_another_length_is_not_stored(victim: Victim) -> None:
    await victim.delete()
    for content in (RECORDED + b".", RECORDED[:-1], b""):
        assert await victim.put(victim.upload, content) in REFUSED
    assert await victim.download() == (RECORDED if victim.bucket.is_versioned else None)


async def test_another_type_or_a_condition_left_out_is_not_stored(victim: Victim) -> None:
    await victim.delete()
    for headers in (
        {**victim.upload.headers, "Content-Type": "text/html"},
        {name: value for name, value in victim.upload.headers.items() if name != "Content-Type"},
        {name: value for name, value in victim.upload.headers.items() if name != "If-None-Match"},
        {**victim.upload.headers, "If-None-Match": '"abc"'},
    ):
        assert await victim.put(replace(victim.upload, headers=headers), RECORDED) in REFUSED
    assert await victim.download() == (RECORDED if victim.bucket.is_versioned else None)


async def test_bytes_of_another_checksum_are_not_stored(victim: Victim) -> None:
    await victim.delete()
    other = await victim.sign(OTHER)
    for signed, content in (
        (victim.upload, OTHER),
        (replace(victim.upload, headers=other.headers), OTHER),
        (
            replace(
                victim.upload,
                headers={name: value for name, value in victim.upload.headers.items() if not name.startswith("x-amz-")},
            ),
            OTHER,
        ),
    ):
        assert await victim.put(signed, content) in REFUSED
    assert await victim.download() == (RECORDED if victim.bucket.is_versioned else None)


async def test_after_a_delete_the_url_stores_the_same_bytes_or_none(victim: Victim) -> None:
    await victim.delete()
    # The one use that a URL has left: S3's condition knows only what lies there now.
    assert await victim.put(victim.upload, OTHER) in REFUSED
    assert await victim.put(victim.upload, RECORDED) == 200
    assert await victim.download() == RECORDED


async def test_a_url_without_checksum_stores_other_bytes_after_a_delete_but_nobody_gets_them(victim: Victim) -> None:
    await victim.delete()
    unbound = await victim.bucket.storage.sign_upload(
        UploadTerms(path=victim.terms.path, mime_type="application/pdf", size_bytes=None, sha256=None),
        utc_now() + timedelta(minutes=15),
    )
    assert await victim.put(unbound, OTHER) == 200
    assert await victim.download() == (RECORDED if victim.bucket.is_versioned else None)


async def test_an_upload_that_comes_late_stores_nothing(victim: Victim) -> None:
    # It was announced in time, and its bytes come when others lie there.
    sent = 0

    async def slowly() -> AsyncIterator[bytes]:
        nonlocal sent
        for byte in OTHER:
            sent += 1
            yield bytes([byte])

    unbound = await victim.bucket.storage.sign_upload(
        UploadTerms(path=victim.terms.path, mime_type="application/pdf", size_bytes=len(OTHER), sha256=None),
        utc_now() + timedelta(minutes=15),
    )
    answer = await victim.http.put(unbound.url, headers=dict(unbound.headers), content=slowly())
    assert answer.status_code in REFUSED
    assert sent > 0
    assert await victim.download() == RECORDED


async def test_an_upload_url_is_no_way_to_copy_another_object(victim: Victim) -> None:
    # CVE-2026-54330: the header decides what S3 does, and nobody has signed it.
    path = StoragePath(victim.terms.path + ".copy")
    upload = await victim.bucket.storage.sign_upload(
        UploadTerms(path=path, mime_type="application/pdf", size_bytes=None, sha256=None),
        utc_now() + timedelta(minutes=15),
    )
    source = {"x-amz-copy-source": f"/{victim.bucket.name}/{victim.terms.path}"}
    assert await victim.put(replace(upload, headers={**upload.headers, **source}), b"") in REFUSED
    assert await victim.bucket.storage.stat(path) is None


async def test_a_download_of_before_gives_the_recorded_version_or_what_it_said_it_would(victim: Victim) -> None:
    signed = await victim.bucket.storage.sign_download(victim.terms, utc_now() + timedelta(minutes=15))
    assert signed is not None
    await victim.bucket.server.client.put_object(Bucket=victim.bucket.name, Key=victim.terms.path, Body=OTHER)
    answer = await victim.http.get(signed.url)
    if victim.bucket.is_versioned:
        assert answer.content == RECORDED
    assert await victim.download() == (RECORDED if victim.bucket.is_versioned else None)


async def test_a_version_that_is_gone_is_replaced_by_a_copy_of_the_same_bytes_only(victim: Victim) -> None:
    client, name, path = victim.bucket.server.client, victim.bucket.name, victim.terms.path
    for content in (RECORDED, OTHER):
        await victim.bucket.storage.delete([path])
        assert await victim.download() is None
        await client.put_object(Bucket=name, Key=path, Body=content)
        assert await victim.download() == (RECORDED if content == RECORDED else None)


async def test_bytes_with_the_etag_but_another_checksum_are_others(victim: Victim) -> None:
    # As two files with one MD5 have it, which anybody can make.
    forged = replace(victim.terms, stored=replace(victim.terms.stored, sha256="0" * 64, version_id=None))
    assert forged.stored.etag == victim.terms.stored.etag
    assert await victim.bucket.storage.sign_download(forged, utc_now() + timedelta(minutes=15)) is None


@pytest.mark.parametrize("version_id", ["the same", None])
async def test_bytes_of_another_size_are_others_whatever_else_is_equal(victim: Victim, version_id: str | None) -> None:
    # As a record has it that was edited by hand, or a store that hands out an ETag twice.
    forged = replace(victim.terms.stored, size_bytes=len(RECORDED) + 1)
    if version_id is None:
        forged = replace(forged, version_id=None)
    terms = replace(victim.terms, stored=forged)
    assert await victim.bucket.storage.sign_download(terms, utc_now() + timedelta(minutes=15)) is None


@pytest.mark.parametrize("version_id", ["gone", "\N{SNOWMAN}", "a b&c=d/../~", "null", "0" * 300])
async def test_a_version_that_this_store_never_had_is_no_reason_to_fail(victim: Victim, version_id: str) -> None:
    moved = replace(victim, terms=replace(victim.terms, stored=replace(victim.terms.stored, version_id=version_id)))
    assert await moved.download() == RECORDED
