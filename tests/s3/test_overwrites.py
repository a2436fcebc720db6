"""Promise 4: recorded bytes cannot be swapped, tried on a bucket without versions and on one with them.

After every attack, a download of the document returns the recorded bytes, or is refused with 409. The attacks with an
expired or altered URL, another length or another type are in tests/contracts/test_storage.py, on the same buckets.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from adapters.in_process.system import utc_now
from ports.storage import DownloadTerms, SignedRequest, UploadTerms
from tests.ministack import S3Bucket, new_path

RECORDED = b"what was signed by both parties"
OTHER = b"what an attacker wants to store"
assert len(RECORDED) == len(OTHER)
REFUSED = {400, 401, 403, 409, 412}


@dataclass
class Victim:
    """A recorded document whose upload URL an attacker has."""

    bucket: S3Bucket
    http: httpx.AsyncClient
    terms: DownloadTerms
    upload: SignedRequest

    async def put(self, signed: SignedRequest, content: bytes | AsyncIterator[bytes]) -> int:
        headers = {name: value for name, value in signed.headers.items() if name != "Content-Length"}
        return (await self.http.put(signed.url, headers=headers, content=content)).status_code

    async def sign(self, content: bytes | None, suffix: str = "") -> SignedRequest:
        """Sign an upload to the path of the document, bound to `content` if it is given."""
        terms = UploadTerms(
            path=type(self.terms.path)(self.terms.path + suffix),
            mime_type="application/pdf",
            size_bytes=None if content is None else len(content),
            sha256=None if content is None else hashlib.sha256(content).hexdigest(),
        )
        return await self.bucket.storage.sign_upload(terms, utc_now() + timedelta(minutes=15))

    async def sign_download(self, **stored: object) -> SignedRequest | None:
        """Sign a download of the recorded object, with other recorded facts if they are given."""
        terms = replace(self.terms, stored=replace(self.terms.stored, **stored))  # type: ignore[arg-type]
        return await self.bucket.storage.sign_download(terms, utc_now() + timedelta(minutes=15))

    async def download(self, **stored: object) -> bytes | None:
        """Download the document; `None` if the service reports that the bytes have changed."""
        signed = await self.sign_download(**stored)
        if signed is None:
            return None
        response = await self.http.get(signed.url, headers=dict(signed.headers))
        assert response.status_code == 200
        return response.content

    async def delete(self) -> None:
        """Delete the object, as an operator's mistake or a lifecycle rule does."""
        await self.bucket.server.client.delete_object(Bucket=self.bucket.name, Key=self.terms.path)

    @property
    def kept(self) -> bytes | None:
        """What a download returns after the object was deleted or replaced: only versions keep the bytes."""
        return RECORDED if self.bucket.is_versioned else None


@pytest.fixture(params=["plain", "versioned"])
def bucket(request: pytest.FixtureRequest) -> S3Bucket:
    found: S3Bucket = request.getfixturevalue(f"s3_{request.param}")
    return found


@pytest.fixture
async def victim(bucket: S3Bucket) -> AsyncIterator[Victim]:
    path = new_path("contract, (final)+1.pdf")
    async with httpx.AsyncClient() as http:
        unsigned = SignedRequest(method="PUT", url="", headers={}, expires_at=utc_now())
        unrecorded = DownloadTerms(path=path, stored=None, mime_type="a/b", disposition="attachment")  # type: ignore[arg-type]
        victim = Victim(bucket, http, unrecorded, unsigned)
        victim.upload = await victim.sign(RECORDED)
        assert await victim.put(victim.upload, RECORDED) == 200
        stored = await bucket.storage.stat(path)
        assert stored is not None
        assert (stored.version_id is not None) == bucket.is_versioned
        victim.terms = replace(unrecorded, stored=stored)
        yield victim


async def test_an_upload_without_the_signed_condition_or_checksum_is_not_stored(victim: Victim) -> None:
    # Without the object, only the signature can be the reason of a refusal.
    await victim.delete()
    signed = victim.upload.headers
    for headers, content in (
        ({name: value for name, value in signed.items() if name != "If-None-Match"}, RECORDED),
        ({**signed, "If-None-Match": '"abc"'}, RECORDED),
        (signed, OTHER),
        ({name: value for name, value in signed.items() if not name.startswith("x-amz-")}, OTHER),
        ((await victim.sign(OTHER)).headers, OTHER),
    ):
        assert await victim.put(replace(victim.upload, headers=headers), content) in REFUSED
    assert await victim.download() == victim.kept


async def test_an_upload_url_does_not_store_twice(victim: Victim) -> None:
    for content in (OTHER, RECORDED):
        assert await victim.put(victim.upload, content) in REFUSED
    assert await victim.download() == RECORDED


async def test_after_a_delete_the_url_stores_the_same_bytes_or_none(victim: Victim) -> None:
    await victim.delete()
    # S3's condition only looks at the present object, so the URL has one use left.
    assert await victim.put(victim.upload, OTHER) in REFUSED
    assert await victim.put(victim.upload, RECORDED) == 200
    assert await victim.download() == RECORDED


async def test_other_bytes_that_a_url_without_checksum_stores_after_a_delete_are_not_downloaded(victim: Victim) -> None:
    await victim.delete()
    assert await victim.put(await victim.sign(None), OTHER) == 200
    assert await victim.download() == victim.kept


async def test_a_slow_upload_that_began_in_time_does_not_replace_the_bytes(victim: Victim) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for byte in OTHER:
            yield bytes([byte])

    assert await victim.put(await victim.sign(None), slowly()) in REFUSED
    assert await victim.download() == RECORDED


async def test_an_upload_url_cannot_copy_another_object(victim: Victim) -> None:
    # CVE-2026-54330: an unsigned header that decides what S3 does.
    upload = await victim.sign(None, suffix=".copy")
    source = {"x-amz-copy-source": f"/{victim.bucket.name}/{victim.terms.path}"}
    assert await victim.put(replace(upload, headers={**upload.headers, **source}), b"") in REFUSED
    assert await victim.bucket.storage.stat(type(victim.terms.path)(victim.terms.path + ".copy")) is None


async def test_after_a_replacement_a_download_returns_the_recorded_version_or_is_refused(victim: Victim) -> None:
    signed = await victim.sign_download()
    assert signed is not None
    await victim.bucket.server.client.put_object(Bucket=victim.bucket.name, Key=victim.terms.path, Body=OTHER)
    if victim.bucket.is_versioned:
        assert (await victim.http.get(signed.url)).content == RECORDED
    assert await victim.download() == victim.kept


async def test_a_deleted_version_is_replaced_only_by_a_copy_of_the_same_bytes(victim: Victim) -> None:
    client, name, path = victim.bucket.server.client, victim.bucket.name, victim.terms.path
    for content, downloaded in ((RECORDED, RECORDED), (OTHER, None)):
        await victim.bucket.storage.delete([path])
        assert await victim.download() is None
        await client.put_object(Bucket=name, Key=path, Body=content)
        assert await victim.download() == downloaded


async def test_an_object_whose_size_or_checksum_differs_from_the_record_is_not_downloaded(victim: Victim) -> None:
    # An ETag alone proves little: two files with one MD5 can be constructed.
    assert await victim.sign_download(sha256="0" * 64, version_id=None) is None
    # A store may return one ETag twice, and a record may have been edited by hand.
    assert await victim.sign_download(size_bytes=len(RECORDED) + 1) is None
    assert await victim.sign_download(size_bytes=len(RECORDED) + 1, version_id=None) is None


@pytest.mark.parametrize("version_id", ["\N{SNOWMAN}", "a b&c=d/../~", "null"])
async def test_a_version_id_of_another_store_does_not_prevent_a_download(victim: Victim, version_id: str) -> None:
    assert await victim.download(version_id=version_id) == RECORDED
