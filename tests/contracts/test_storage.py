"""The guarantees of `ObjectStorage` for single objects. The tests send signed requests as clients do."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from ports.storage import SignedRequest
from tests.contracts.stores import CONTENT, DISPOSITION, EXISTS, NAME, REFUSED, SHA256, STORED, TYPE, Store, soon


@pytest.mark.parametrize(
    ("content", "size_bytes", "sha256"),
    [(CONTENT, len(CONTENT), SHA256), (CONTENT, None, None), (b"", None, None), (b"", 0, None)],
    ids=["declared", "not declared", "empty", "declared as empty"],
)
async def test_an_upload_is_stored_with_its_size_and_the_right_checksum_or_none(
    store: Store, content: bytes, size_bytes: int | None, sha256: str | None
) -> None:
    expires_at = soon()
    signed = await store.storage.sign_upload(store.terms(size_bytes=size_bytes, sha256=sha256), expires_at)
    assert (signed.method, signed.expires_at, signed.headers["Content-Type"]) == ("PUT", expires_at, TYPE)
    assert urlsplit(signed.url).path.endswith("/" + quote(store.path()))
    assert await store.put(signed, content) == STORED
    found = await store.stored()
    assert found == await store.stored()
    assert found.size_bytes == len(content)
    assert found.sha256 in (sha256, hashlib.sha256(content).hexdigest())


async def test_no_object_is_found_at_other_paths(store: Store) -> None:
    await store.upload()
    # The paths of no object, of a folder, below an object, and of a name longer than file systems allow.
    for name in ("absent", "documents", f"{NAME}/below", "x" * 256):
        assert await store.storage.stat(store.path(name)) is None, name


async def test_an_object_is_never_replaced_by_an_upload(store: Store) -> None:
    signed = await store.sign_upload()
    assert await store.put(signed, CONTENT) == STORED
    stored = await store.storage.stat(store.path())
    for url in (signed, await store.sign_upload()):
        for content in (b"other", CONTENT):
            assert await store.put(url, content) == EXISTS
    assert await store.storage.stat(store.path()) == stored


async def test_of_many_uploads_at_once_one_is_stored_completely(store: Store) -> None:
    contents = [bytes([number]) * 200_000 for number in range(8)]
    signed = await store.sign_upload()
    statuses = await asyncio.gather(*(store.put(signed, content) for content in contents))
    # 409 is the status of an upload that arrives during another one.
    assert set(statuses) <= {STORED, EXISTS, 409}
    stored = [content for content, status in zip(contents, statuses, strict=True) if status == STORED]
    # Some stores accept several, and keep each as a version: Ceph does.
    assert len(stored) == 1 or (stored and store.keeps_versions)
    assert (await store.get(await store.sign_download())).content in stored


@pytest.mark.parametrize(
    ("size_bytes", "sha256"),
    [(len(CONTENT) - 1, None), (len(CONTENT) + 1, None), (None, "0" * 64)],
    ids=["longer", "shorter", "other bytes"],
)
async def test_other_bytes_than_declared_are_refused(store: Store, size_bytes: int | None, sha256: str | None) -> None:
    assert await store.put(await store.sign_upload(size_bytes=size_bytes, sha256=sha256), CONTENT) in REFUSED
    assert await store.storage.stat(store.path()) is None


@pytest.mark.parametrize("headers", [{"Content-Type": "text/html"}, {}], ids=["another", "none"])
async def test_an_upload_with_another_type_than_signed_is_refused(store: Store, headers: Mapping[str, str]) -> None:
    signed = await store.sign_upload()
    others = {name: value for name, value in signed.headers.items() if name.lower() != "content-type"}
    assert await store.put(signed, CONTENT, headers={**others, **headers}) in REFUSED
    assert await store.storage.stat(store.path()) is None


async def test_a_download_returns_the_bytes_with_the_signed_type_and_disposition(store: Store) -> None:
    await store.upload()
    for disposition in (
        DISPOSITION,
        "attachment; filename=\"Muller & Co.txt\"; filename*=UTF-8''M%C3%BCller%20%26%20Co.txt",
    ):
        signed = await store.sign_download(replace(await store.download_terms(), disposition=disposition))
        assert signed.method == "GET"
        answer = await store.get(signed)
        assert (answer.status_code, answer.content) == (200, CONTENT)
        assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"]) == (TYPE, disposition)


async def test_any_range_of_the_bytes_can_be_downloaded(store: Store) -> None:
    await store.upload()
    signed = await store.sign_download()
    last = len(CONTENT) - 1
    for start, end in ((0, 0), (5, 1_199_999), (last, last), (0, last)):
        answer = await store.get(signed, range=f"bytes={start}-{end}")
        assert (answer.status_code, answer.content) == (206, CONTENT[start : end + 1])
        assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{len(CONTENT)}"


async def test_a_signed_url_is_refused_after_it_expired(store: Store) -> None:
    past = datetime.now(UTC) - timedelta(seconds=2)
    assert await store.put(await store.storage.sign_upload(store.terms(), past), CONTENT) in REFUSED
    assert await store.storage.stat(store.path()) is None
    await store.upload()
    download = await store.storage.sign_download(await store.download_terms(), past)
    assert download is not None
    assert (await store.get(download)).status_code in REFUSED


def tampered(signed: SignedRequest) -> Iterator[SignedRequest]:
    """Yield the request with its URL changed in one place."""
    url, _, query = signed.url.partition("?")
    pairs = parse_qsl(query)
    yield replace(signed, url=f"{url}x?{query}")
    yield replace(signed, url=f"{signed.url}&more=1")
    yield replace(signed, url=url)
    for at, (name, value) in enumerate(pairs):
        for instead in ([(name, value + "0")], []):
            yield replace(signed, url=f"{url}?{urlencode([*pairs[:at], *instead, *pairs[at + 1 :]], quote_via=quote)}")


async def test_a_tampered_upload_url_stores_nothing(store: Store) -> None:
    signed = await store.sign_upload(size_bytes=len(CONTENT), sha256=SHA256)
    for url in tampered(signed):
        assert await store.put(url, CONTENT) in REFUSED, url.url
    assert [page async for page in store.storage.list(store.prefix)] == []
    assert await store.put(signed, CONTENT) == STORED


async def test_a_tampered_download_url_returns_nothing(store: Store) -> None:
    await store.upload()
    signed = await store.sign_download()
    for url in tampered(signed):
        assert (await store.get(url)).status_code in REFUSED, url.url
    assert (await store.get(signed)).content == CONTENT


async def test_a_signed_url_permits_only_its_method(store: Store) -> None:
    await store.upload()
    upload, download = await store.sign_upload(), await store.sign_download()
    refused = REFUSED | {405}
    assert (await store.get(replace(upload, method="GET"))).status_code in refused
    assert await store.put(replace(download, method="PUT"), b"other") in refused


@pytest.mark.parametrize(
    ("content", "is_restored"),
    [(b"other bytes", False), (b"x" * len(CONTENT), False), (b"x" * len(CONTENT), True), (None, False)],
    ids=["replaced", "replaced by as many", "replaced by as many and restored", "deleted"],
)
async def test_only_recorded_bytes_are_downloaded(store: Store, content: bytes | None, *, is_restored: bool) -> None:
    await store.upload()
    terms = await store.download_terms()
    earlier = await store.sign_download(terms)
    await store.replace(store.path(), content)
    if is_restored:
        await store.restore_copy(store.path())
    if store.keeps_versions and not is_restored:
        for signed in (earlier, await store.sign_download(terms)):
            assert (await store.get(signed)).content == CONTENT
    else:
        assert await store.storage.sign_download(terms, soon()) is None


async def test_a_restored_copy_of_the_recorded_bytes_is_downloaded(store: Store) -> None:
    await store.upload()
    terms = await store.download_terms()
    await store.restore_copy(store.path())
    for _ in range(2):
        assert (await store.get(await store.sign_download(terms))).content == CONTENT


async def test_an_object_stored_without_dossier_has_no_checksum_or_the_right_one(store: Store) -> None:
    await store.replace(store.path(), b"by hand")
    found = await store.stored()
    assert found.size_bytes == 7
    assert found.sha256 in (None, hashlib.sha256(b"by hand").hexdigest())
