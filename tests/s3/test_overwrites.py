"""Promise 4 on S3: attacks on recorded bytes that need a bucket, without versions and with them.

After each attack, a download returns the recorded bytes or is refused with 409. On the same buckets,
tests/contracts/test_storage.py tries a used, expired or altered URL, another length or type, and a replacement behind
Dossier's back. tests/s3/test_checks.py tries a copy (CVE-2026-54330).
"""

import asyncio
import gzip
import hashlib
from dataclasses import replace

import pytest

from domain.documents import StoredObject
from ports.storage import DownloadTerms, SignedRequest, Unreadable
from ports.versions import OtherVersions
from tests.contracts.s3_store import S3Store
from tests.contracts.stores import STORED, soon

RECORDED = b"what was signed by both parties"
OTHER = b"what an attacker wants to store"
assert len(RECORDED) == len(OTHER)
REFUSED = {400, 401, 403, 409, 412}


@pytest.fixture(params=["plain", "versioned"])
def bucket(request: pytest.FixtureRequest) -> S3Store:
    store: S3Store = request.getfixturevalue(request.param)
    return store


async def sign_upload_of(bucket: S3Store, content: bytes) -> SignedRequest:
    return await bucket.sign_upload(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


async def download(bucket: S3Store, terms: DownloadTerms, **stored: object) -> bytes | None:
    """Return the bytes of a download for a record that is changed by `stored`; `None` if it gets no signed URL."""
    changed = replace(terms.stored, **stored)  # type: ignore[arg-type]
    signed = await bucket.storage.sign_download(replace(terms, stored=changed), soon())
    return None if signed is None else (await bucket.get(signed)).content


async def test_an_upload_without_the_signed_condition_or_checksum_is_not_stored(bucket: S3Store) -> None:
    upload = await sign_upload_of(bucket, RECORDED)
    signed = upload.headers
    for headers, content in (
        ({name: value for name, value in signed.items() if name != "If-None-Match"}, RECORDED),
        ({**signed, "If-None-Match": '"abc"'}, RECORDED),
        (signed, OTHER),
        ({name: value for name, value in signed.items() if not name.startswith("x-amz-")}, OTHER),
        ((await sign_upload_of(bucket, OTHER)).headers, OTHER),
    ):
        assert await bucket.put(upload, content, headers=headers) in REFUSED
    assert await bucket.put(upload, RECORDED) == STORED


async def test_after_a_delete_an_upload_url_stores_only_the_bytes_of_its_checksum(bucket: S3Store) -> None:
    upload = await sign_upload_of(bucket, RECORDED)
    assert await bucket.put(upload, RECORDED) == STORED
    terms = await bucket.download_terms()
    assert (terms.stored.version_id is not None) == bucket.keeps_versions
    await bucket.replace(bucket.path(), None)
    # S3's condition only looks at the present object, so the URL has one use left.
    assert await bucket.put(upload, OTHER) in REFUSED
    assert await bucket.put(upload, RECORDED) == STORED
    assert await download(bucket, terms) == RECORDED


async def test_an_object_whose_size_or_checksum_differs_from_the_record_is_not_downloaded(bucket: S3Store) -> None:
    await bucket.upload(RECORDED)
    terms = await bucket.download_terms()
    # An ETag alone proves little: two files with one MD5 can be constructed.
    assert await download(bucket, terms, sha256="0" * 64, version_id=None) is None
    # A store may give two objects the same ETag, and an operator may have edited the record.
    for version_id in (terms.stored.version_id, None):
        assert await download(bucket, terms, size_bytes=len(RECORDED) + 1, version_id=version_id) is None


async def test_readers_get_the_recorded_bytes_whatever_headers_the_upload_had(bucket: S3Store) -> None:
    bomb = gzip.compress(b"0" * 30_000)
    upload = await sign_upload_of(bucket, bomb)
    unsigned = {
        "Content-Encoding": "gzip",
        "Cache-Control": "public, max-age=9",
        "Expires": "Fri, 01 Jan 2100 00:00:00 GMT",
    }
    stored = await bucket.put(upload, bomb, headers={**upload.headers, **unsigned})
    if stored in REFUSED:
        return
    found = await bucket.storage.stat(bucket.path())
    assert isinstance(found, Unreadable)
    assert found.why.startswith("has the header Content-Encoding: gzip")

    # A document that an earlier version of Dossier has recorded.
    digest = hashlib.md5(bomb, usedforsecurity=False).hexdigest()
    recorded = StoredObject(size_bytes=len(bomb), etag=digest)
    terms = DownloadTerms(path=bucket.path(), stored=recorded, mime_type="a/b", disposition="attachment")
    response = await bucket.get(await bucket.sign_download(terms))
    # httpx decodes what is said to be encoded, as browsers do.
    assert response.content == bomb
    assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("racing", ["versioned"], indirect=True)
async def test_of_several_uploads_that_were_accepted_at_once_the_recorded_one_is_kept(racing: S3Store) -> None:
    contents = [b"%04d" % number for number in range(8)]
    upload = await racing.sign_upload(size_bytes=4)
    assert await asyncio.gather(*(racing.put(upload, content) for content in contents)) == [STORED] * 8
    terms = await racing.download_terms()
    recorded = await download(racing, terms)
    assert recorded in contents
    assert await racing.put(upload, b"late") in REFUSED
    others = await racing.storage.delete_other_versions(terms.path, terms.stored.version_id or "", dry_run=False)
    assert others == OtherVersions(7)
    assert await download(racing, terms) == recorded
