"""What `ObjectStorage` promises of single objects, on every adapter: through signed requests, as clients have it."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from domain.paths import StoragePath
from ports.storage import SignedRequest, UploadTerms
from tests.contracts.stores import DISPOSITION, EXISTS, NAME, REFUSED, STORED, TYPE, Store

CONTENT = b"Hello, bytes!" * 100_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def later() -> datetime:
    """A time at which a link made now still holds."""
    return datetime.now(UTC) + timedelta(minutes=15)


async def put(store: Store, content: bytes = CONTENT, name: str = NAME) -> None:
    """Upload with all that can be declared, so that every store knows the checksum."""
    terms = store.upload(name, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    assert await store.put(await store.storage.sign_upload(terms, later()), content) == STORED


async def test_what_is_uploaded_is_there_with_its_size_and_checksum(store: Store) -> None:
    await put(store)
    found = await store.storage.stat(store.path())
    assert found is not None
    assert (found.size_bytes, found.sha256) == (len(CONTENT), SHA256)
    assert found == await store.storage.stat(store.path())


async def test_what_was_not_announced_is_measured(store: Store) -> None:
    assert await store.put(await store.storage.sign_upload(store.upload(), later()), CONTENT) == STORED
    found = await store.storage.stat(store.path())
    assert found is not None
    assert found.size_bytes == len(CONTENT)
    assert found.sha256 in (None, SHA256)


@pytest.mark.parametrize("size_bytes", [None, 0], ids=["not announced", "announced"])
async def test_an_empty_file_is_a_file(store: Store, size_bytes: int | None) -> None:
    signed = await store.storage.sign_upload(store.upload(size_bytes=size_bytes), later())
    assert await store.put(signed, b"") == STORED
    found = await store.storage.stat(store.path())
    assert found is not None
    assert found.size_bytes == 0


@pytest.mark.parametrize(
    "name",
    ["absent", "documents", f"{NAME}/below", "x" * 256],
    ids=["absent", "a folder", "below a file", "a long name"],
)
async def test_where_no_object_can_lie_nothing_lies(store: Store, name: str) -> None:
    await put(store)
    assert await store.storage.stat(store.path(name)) is None


async def test_what_lies_there_is_never_replaced(store: Store) -> None:
    signed = await store.storage.sign_upload(store.upload(), later())
    assert await store.put(signed, CONTENT) == STORED
    stored = await store.storage.stat(store.path())
    again = await store.storage.sign_upload(store.upload(), later())
    for link in (signed, again):
        for content in (b"other", CONTENT):
            assert await store.put(link, content) == EXISTS
    assert await store.storage.stat(store.path()) == stored


async def test_of_many_uploads_at_once_one_is_stored_whole(store: Store) -> None:
    contents = [bytes([number]) * 200_000 for number in range(8)]
    signed = await store.storage.sign_upload(store.upload(), later())
    statuses = await asyncio.gather(*(store.put(signed, content) for content in contents))
    assert statuses.count(STORED) == 1
    # S3 may answer 409 to one that comes while another is on its way.
    assert set(statuses) <= {STORED, EXISTS, 409}
    download = await store.storage.sign_download(await store.download(), later())
    assert download is not None
    assert (await store.get(download)).content == contents[statuses.index(STORED)]


@pytest.mark.parametrize(
    ("size_bytes", "sha256"),
    [(len(CONTENT) - 1, None), (len(CONTENT) + 1, None), (None, "0" * 64)],
    ids=["too long", "too short", "other bytes"],
)
async def test_other_bytes_than_announced_are_not_stored(
    store: Store, size_bytes: int | None, sha256: str | None
) -> None:
    terms = store.upload(size_bytes=size_bytes, sha256=sha256)
    assert await store.put(await store.storage.sign_upload(terms, later()), CONTENT) in REFUSED
    assert await store.storage.stat(store.path()) is None


@pytest.mark.parametrize("headers", [{"Content-Type": "text/html"}, {}], ids=["another", "none"])
async def test_another_type_than_announced_is_refused(store: Store, headers: Mapping[str, str]) -> None:
    signed = await store.storage.sign_upload(store.upload(), later())
    others = {name: value for name, value in signed.headers.items() if name.lower() != "content-type"}
    assert await store.put(signed, CONTENT, headers={**others, **headers}) in REFUSED
    assert await store.storage.stat(store.path()) is None


async def test_a_signed_upload_says_what_to_send_where_and_until_when(store: Store) -> None:
    expires_at = later()
    signed = await store.storage.sign_upload(store.upload(size_bytes=7, sha256="ab" * 32), expires_at)
    assert (signed.method, signed.expires_at) == ("PUT", expires_at)
    assert urlsplit(signed.url).path.endswith("/" + quote(store.path()))
    assert signed.headers["Content-Type"] == TYPE


async def test_a_download_gives_the_bytes_with_the_type_and_disposition_that_were_signed(store: Store) -> None:
    await put(store)
    signed = await store.storage.sign_download(await store.download(), later())
    assert signed is not None
    assert signed.method == "GET"
    answer = await store.get(signed)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["Content-Type"] == TYPE
    assert answer.headers["Content-Disposition"] == DISPOSITION


async def test_a_download_can_have_a_name_in_any_script(store: Store) -> None:
    await put(store)
    terms = await store.download()
    name = "attachment; filename=\"Muller & Co.txt\"; filename*=UTF-8''M%C3%BCller%20%26%20Co.txt"
    signed = await store.storage.sign_download(replace(terms, disposition=name, mime_type="text/plain"), later())
    assert signed is not None
    answer = await store.get(signed)
    assert answer.headers["Content-Disposition"] == name
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_any_part_of_the_bytes_can_be_downloaded(store: Store) -> None:
    await put(store)
    signed = await store.storage.sign_download(await store.download(), later())
    assert signed is not None
    last = len(CONTENT) - 1
    for start, end in ((0, 0), (5, 1_199_999), (last, last), (0, last)):
        answer = await store.get(signed, range=f"bytes={start}-{end}")
        assert (answer.status_code, answer.content) == (206, CONTENT[start : end + 1])
        assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{len(CONTENT)}"


async def test_a_link_ends_with_its_time(store: Store) -> None:
    past = datetime.now(UTC) - timedelta(seconds=2)
    signed = await store.storage.sign_upload(store.upload(), past)
    assert await store.put(signed, CONTENT) in REFUSED
    assert await store.storage.stat(store.path()) is None
    await put(store)
    download = await store.storage.sign_download(await store.download(), past)
    assert download is not None
    assert (await store.get(download)).status_code in REFUSED


def changed(signed: SignedRequest) -> Iterator[SignedRequest]:
    """The request with something else in one place of its URL."""
    url, _, query = signed.url.partition("?")
    pairs = parse_qsl(query)
    yield replace(signed, url=f"{url}x?{query}")
    yield replace(signed, url=f"{signed.url}&more=1")
    yield replace(signed, url=url)
    for at, (name, value) in enumerate(pairs):
        for there in ([(name, value + "0")], []):
            yield replace(signed, url=f"{url}?{urlencode([*pairs[:at], *there, *pairs[at + 1 :]], quote_via=quote)}")


async def test_a_changed_upload_link_stores_nothing(store: Store) -> None:
    signed = await store.storage.sign_upload(store.upload(size_bytes=len(CONTENT), sha256=SHA256), later())
    for link in changed(signed):
        assert await store.put(link, CONTENT) in REFUSED, link.url
    assert [page async for page in store.storage.list(store.prefix)] == []
    assert await store.put(signed, CONTENT) == STORED


async def test_a_changed_download_link_gives_nothing(store: Store) -> None:
    await put(store)
    signed = await store.storage.sign_download(await store.download(), later())
    assert signed is not None
    for link in changed(signed):
        assert (await store.get(link)).status_code in REFUSED, link.url
    assert (await store.get(signed)).content == CONTENT


async def test_a_link_opens_only_what_it_was_signed_for(store: Store) -> None:
    await put(store)
    upload = await store.storage.sign_upload(store.upload(), later())
    download = await store.storage.sign_download(await store.download(), later())
    assert download is not None
    assert (await store.get(replace(upload, method="GET"))).status_code in REFUSED
    assert await store.put(replace(download, method="PUT"), b"other") in REFUSED
    other = store.path("documents/other")
    moved = upload.url.replace(quote(store.path()), quote(other))
    assert moved != upload.url
    assert await store.put(replace(upload, url=moved), b"other") in REFUSED
    assert await store.storage.stat(other) is None


@pytest.mark.parametrize(
    "content", [b"other bytes", b"x" * len(CONTENT), None], ids=["swapped", "swapped for as many", "gone"]
)
async def test_no_other_bytes_than_those_recorded_are_ever_downloaded(store: Store, content: bytes | None) -> None:
    await put(store)
    terms = await store.download()
    await store.swap(store.path(), content)
    signed = await store.storage.sign_download(terms, later())
    if store.keeps_versions:
        assert signed is not None
        assert (await store.get(signed)).content == CONTENT
    else:
        assert signed is None


async def test_a_restored_copy_of_the_bytes_is_still_those_bytes(store: Store) -> None:
    await put(store)
    terms = await store.download()
    await store.copy(store.path())
    for _ in range(2):
        signed = await store.storage.sign_download(terms, later())
        assert signed is not None
        assert (await store.get(signed)).content == CONTENT


async def test_other_bytes_of_the_same_size_and_time_as_a_copy_are_not_downloaded(store: Store) -> None:
    await put(store)
    terms = await store.download()
    await store.swap(store.path(), b"x" * len(CONTENT))
    await store.copy(store.path())
    signed = await store.storage.sign_download(terms, later())
    if store.keeps_versions:
        assert signed is not None
        assert (await store.get(signed)).content == CONTENT
    else:
        assert signed is None


async def test_bytes_that_came_by_another_way_are_there_without_a_checksum_or_with_the_right_one(store: Store) -> None:
    await store.swap(store.path(), b"by hand")
    found = await store.storage.stat(store.path())
    assert found is not None
    assert found.size_bytes == 7
    assert found.sha256 in (None, hashlib.sha256(b"by hand").hexdigest())


async def test_two_workspaces_hold_two_objects_of_one_name(store: Store) -> None:
    await put(store)
    other = StoragePath(f"workspaces/{store.workspace}X/{NAME}")
    assert await store.storage.stat(other) is None
    terms = UploadTerms(path=other, mime_type=TYPE, size_bytes=None, sha256=None)
    assert await store.put(await store.storage.sign_upload(terms, later()), b"theirs") == STORED
    assert (await store.download()).stored.size_bytes == len(CONTENT)
    await store.storage.delete([other])
