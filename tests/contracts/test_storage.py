"""What `ObjectStorage` and `LinkedStorage` promise, on every adapter."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from domain.paths import StoragePath
from ports.storage import DownloadTerms, Exists, Mismatch, SignedRequest, UploadTerms
from tests.contracts.conftest import PUBLIC_URL, Store

NOW = datetime(2026, 4, 17, 10, 45, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)
PATH = StoragePath("workspaces/ws_1/documents/it's (a) file+1, 100$.pdf")
CONTENT = b"Hello, bytes!" * 100_000


class ClientGone(Exception):
    """What the HTTP side raises into an upload."""


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65536):
        yield content[start : start + 65536]


async def broken_off(content: bytes) -> AsyncIterator[bytes]:
    yield content
    raise ClientGone


def upload(path: StoragePath = PATH, size_bytes: int | None = None, sha256: str | None = None) -> UploadTerms:
    return UploadTerms(path=path, mime_type="application/pdf", size_bytes=size_bytes, sha256=sha256)


def link(signed: SignedRequest) -> tuple[str, Mapping[str, str]]:
    """The path and the query that our routes are called with."""
    parts = urlsplit(signed.url)
    return unquote(parts.path).removeprefix("/storage/"), dict(parse_qsl(parts.query))


async def put(store: Store, content: bytes = CONTENT, path: StoragePath = PATH) -> DownloadTerms:
    await store.storage.write(upload(path), pieces(content))
    stored = await store.storage.stat(path)
    assert stored is not None
    return DownloadTerms(path=path, stored=stored, mime_type="application/pdf", disposition='attachment; filename="a"')


async def test_what_is_written_is_there_with_its_size_and_checksum(store: Store) -> None:
    written = await store.storage.write(upload(), pieces(CONTENT))
    found = await store.storage.stat(PATH)
    assert found == written
    assert found is not None
    assert (found.size_bytes, found.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


async def test_an_empty_file_is_a_file(store: Store) -> None:
    await store.storage.write(upload(), pieces(b""))
    found = await store.storage.stat(PATH)
    assert found is not None
    assert found.size_bytes == 0


@pytest.mark.parametrize(
    "path",
    ["workspaces/ws_1/absent", "workspaces/ws_1/documents", f"{PATH}/below", "workspaces/ws_1/" + "x" * 256],
    ids=["absent", "a folder", "below a file", "a long name"],
)
async def test_where_no_object_can_lie_nothing_lies(store: Store, path: str) -> None:
    await put(store)
    assert await store.storage.stat(StoragePath(path)) is None


async def test_what_lies_there_is_never_replaced(store: Store) -> None:
    terms = await put(store)
    assert await store.storage.write(upload(), pieces(b"other")) == Exists()
    assert await store.storage.stat(PATH) == terms.stored


async def test_of_many_uploads_at_once_one_is_stored_whole(store: Store) -> None:
    contents = [bytes([number]) * 200_000 for number in range(8)]
    results = await asyncio.gather(*(store.storage.write(upload(), pieces(content)) for content in contents))
    (winner,) = [result for result in results if not isinstance(result, Exists)]
    found = await store.storage.stat(PATH)
    assert found == winner
    assert found is not None
    assert found.sha256 in {hashlib.sha256(content).hexdigest() for content in contents}


@pytest.mark.parametrize(
    ("terms", "what"),
    [
        (upload(size_bytes=len(CONTENT) - 1), "Content-Length"),
        (upload(size_bytes=len(CONTENT) + 1), "Content-Length"),
        (upload(sha256="0" * 64), "sha256"),
    ],
    ids=["too long", "too short", "other bytes"],
)
async def test_other_bytes_than_announced_are_not_stored(store: Store, terms: UploadTerms, what: str) -> None:
    result = await store.storage.write(terms, pieces(CONTENT))
    assert isinstance(result, Mismatch)
    assert result.what == what
    assert await store.storage.stat(PATH) is None


async def test_bytes_as_announced_are_stored(store: Store) -> None:
    terms = upload(size_bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())
    assert not isinstance(await store.storage.write(terms, pieces(CONTENT)), Mismatch | Exists)


async def test_an_upload_that_breaks_off_leaves_nothing(store: Store) -> None:
    with pytest.raises(ClientGone):
        await store.storage.write(upload(), broken_off(b"half a fi"))
    assert await store.storage.stat(PATH) is None
    assert store.litter() == 0
    assert not isinstance(await store.storage.write(upload(), pieces(CONTENT)), Exists)
    assert store.litter() == 0


async def test_a_link_carries_its_terms(store: Store) -> None:
    terms = upload(size_bytes=7, sha256="ab" * 32)
    signed = await store.storage.sign_upload(terms, LATER)
    assert signed.url.startswith(f"{PUBLIC_URL}/storage/workspaces/ws_1/documents/")
    assert (signed.method, signed.headers, signed.expires_at) == ("PUT", {"Content-Type": "application/pdf"}, LATER)
    assert store.storage.open_upload(*link(signed), at=NOW) == terms


async def test_a_download_link_carries_its_terms(store: Store) -> None:
    terms = await put(store)
    signed = await store.storage.sign_download(terms, LATER)
    assert signed is not None
    opened = store.storage.open_download(*link(signed), at=NOW)
    assert opened is not None
    # Which checksum the bytes had is not the link's to say.
    assert replace(opened, stored=replace(opened.stored, sha256=terms.stored.sha256)) == terms


async def test_a_link_ends_with_its_time(store: Store) -> None:
    signed = await store.storage.sign_upload(upload(), LATER)
    assert store.storage.open_upload(*link(signed), at=LATER - timedelta(seconds=1)) is not None
    assert store.storage.open_upload(*link(signed), at=LATER) is None


async def test_a_changed_link_opens_nothing(store: Store) -> None:
    path, query = link(await store.storage.sign_upload(upload(size_bytes=7), LATER))
    assert store.storage.open_upload(path + "x", query, at=NOW) is None
    assert store.storage.open_upload(path, {**query, "more": "1"}, at=NOW) is None
    for name, value in query.items():
        assert store.storage.open_upload(path, {**query, name: value + "0"}, at=NOW) is None
        assert store.storage.open_upload(path, {k: v for k, v in query.items() if k != name}, at=NOW) is None
    assert store.storage.open_upload(path, {}, at=NOW) is None


async def test_a_link_opens_only_what_it_was_signed_for(store: Store) -> None:
    terms = await put(store)
    uploads = link(await store.storage.sign_upload(upload(), LATER))
    signed = await store.storage.sign_download(terms, LATER)
    assert signed is not None
    assert store.storage.open_upload(*link(signed), at=NOW) is None
    assert store.storage.open_download(*uploads, at=NOW) is None
    assert store.storage.open_download(uploads[0], {**uploads[1], "signature": "é"}, at=NOW) is None


async def test_any_part_of_the_bytes_can_be_read(store: Store) -> None:
    terms = await put(store)
    for start, stop in ((0, len(CONTENT)), (0, 0), (5, 1_200_000), (len(CONTENT) - 1, len(CONTENT))):
        assert b"".join([piece async for piece in store.storage.read(terms, start, stop)]) == CONTENT[start:stop]


@pytest.mark.parametrize("content", [b"other bytes", None], ids=["swapped", "gone"])
async def test_a_download_of_bytes_that_are_no_longer_those_is_not_signed(store: Store, content: bytes | None) -> None:
    terms = await put(store)
    store.swap(PATH, content)
    assert await store.storage.sign_download(terms, LATER) is None


async def test_a_restored_copy_of_the_bytes_is_still_those_bytes(store: Store) -> None:
    terms = await put(store)
    store.copy(PATH)
    for _ in range(2):
        signed = await store.storage.sign_download(terms, LATER)
        assert signed is not None
        opened = store.storage.open_download(*link(signed), at=NOW)
        assert opened is not None
        assert b"".join([piece async for piece in store.storage.read(opened, 0, len(CONTENT))]) == CONTENT


async def test_other_bytes_of_the_same_size_and_time_as_a_copy_are_not_signed(store: Store) -> None:
    terms = await put(store)
    store.swap(PATH, b"x" * len(CONTENT))
    store.copy(PATH)
    assert await store.storage.sign_download(terms, LATER) is None


async def test_no_more_is_taken_of_an_upload_than_was_announced(store: Store) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    assert isinstance(await store.storage.write(upload(size_bytes=10), endless()), Mismatch)


async def test_bytes_that_came_by_another_way_are_there_without_a_checksum_or_with_the_right_one(store: Store) -> None:
    store.swap(PATH, b"by hand")
    found = await store.storage.stat(PATH)
    assert found is not None
    assert found.size_bytes == 7
    assert found.sha256 in (None, hashlib.sha256(b"by hand").hexdigest())


async def test_a_working_store_says_so_and_leaves_nothing(store: Store) -> None:
    await store.storage.probe()
    assert store.litter() == 0
