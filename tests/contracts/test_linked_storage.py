"""What `LinkedStorage` promises beyond `ObjectStorage`: to the routes that carry out its signed requests."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest

from ports.storage import AlreadyStored, SignedRequest, UploadMismatch
from ports.system import Unavailable
from tests.contracts.stores import PUBLIC_URL, TYPE, LinkedStore

NOW = datetime(2026, 4, 17, 10, 45, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)
CONTENT = b"Hello, bytes!" * 100_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class ClientGone(Exception):
    """What the HTTP side raises into an upload."""


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    """A body as it comes in."""
    for start in range(0, len(content), 65536):
        yield content[start : start + 65536]


async def broken_off(content: bytes) -> AsyncIterator[bytes]:
    yield content
    raise ClientGone


def link(signed: SignedRequest) -> tuple[str, Mapping[str, str]]:
    """The path and the query that our routes are called with."""
    parts = urlsplit(signed.url)
    return unquote(parts.path).removeprefix("/storage/"), dict(parse_qsl(parts.query))


async def test_what_is_written_is_there_with_its_size_and_checksum(linked: LinkedStore) -> None:
    stored = await linked.storage.write(linked.upload(), pieces(CONTENT))
    found = await linked.storage.stat(linked.path())
    assert found == stored
    assert found is not None
    assert (found.size_bytes, found.sha256) == (len(CONTENT), SHA256)


async def test_what_lies_there_is_never_replaced(linked: LinkedStore) -> None:
    stored = await linked.storage.write(linked.upload(), pieces(CONTENT))
    assert await linked.storage.write(linked.upload(), pieces(b"other")) == AlreadyStored()
    assert await linked.storage.stat(linked.path()) == stored


async def test_of_many_writes_at_once_one_is_stored_whole(linked: LinkedStore) -> None:
    contents = [bytes([number]) * 200_000 for number in range(8)]
    results = await asyncio.gather(*(linked.storage.write(linked.upload(), pieces(content)) for content in contents))
    (winner,) = [result for result in results if not isinstance(result, AlreadyStored)]
    found = await linked.storage.stat(linked.path())
    assert found == winner
    assert found is not None
    assert found.sha256 in {hashlib.sha256(content).hexdigest() for content in contents}


@pytest.mark.parametrize(
    ("size_bytes", "sha256", "what"),
    [
        (len(CONTENT) - 1, None, "Content-Length"),
        (len(CONTENT) + 1, None, "Content-Length"),
        (None, "0" * 64, "sha256"),
    ],
    ids=["too long", "too short", "other bytes"],
)
async def test_of_other_bytes_than_announced_it_is_said_what_is_wrong(
    linked: LinkedStore, size_bytes: int | None, sha256: str | None, what: str
) -> None:
    result = await linked.storage.write(linked.upload(size_bytes=size_bytes, sha256=sha256), pieces(CONTENT))
    assert isinstance(result, UploadMismatch)
    assert result.what == what
    assert await linked.storage.stat(linked.path()) is None
    assert await linked.litter() == 0


async def test_bytes_as_announced_are_stored(linked: LinkedStore) -> None:
    terms = linked.upload(size_bytes=len(CONTENT), sha256=SHA256)
    assert not isinstance(await linked.storage.write(terms, pieces(CONTENT)), UploadMismatch | AlreadyStored)


async def test_an_upload_that_breaks_off_leaves_nothing(linked: LinkedStore) -> None:
    with pytest.raises(ClientGone):
        await linked.storage.write(linked.upload(), broken_off(b"half a fi"))
    assert await linked.storage.stat(linked.path()) is None
    assert await linked.litter() == 0
    assert not isinstance(await linked.storage.write(linked.upload(), pieces(CONTENT)), AlreadyStored)
    assert await linked.litter() == 0


async def test_an_upload_under_way_is_no_object(linked: LinkedStore) -> None:
    async def watched() -> AsyncIterator[bytes]:
        yield CONTENT
        assert await linked.storage.stat(linked.path()) is None
        assert [page async for page in linked.storage.list(linked.prefix)] == []

    await linked.storage.write(linked.upload(), watched())
    assert await linked.storage.stat(linked.path()) is not None


async def test_an_upload_whose_bytes_are_thrown_away_under_it_stores_nothing(linked: LinkedStore) -> None:
    async def thrown_away() -> AsyncIterator[bytes]:
        yield CONTENT
        assert await linked.storage.discard_unfinished(linked.prefix, datetime.now(UTC) + timedelta(hours=1)) == 1
        yield CONTENT

    with pytest.raises(Unavailable):
        await linked.storage.write(linked.upload(), thrown_away())
    assert await linked.storage.stat(linked.path()) is None
    assert await linked.litter() == 0


async def test_a_link_carries_its_terms(linked: LinkedStore) -> None:
    terms = linked.upload(size_bytes=7, sha256="ab" * 32)
    signed = await linked.storage.sign_upload(terms, LATER)
    assert signed.url.startswith(f"{PUBLIC_URL}/storage/{quote(linked.path())}?")
    assert (signed.method, signed.headers, signed.expires_at) == ("PUT", {"Content-Type": TYPE}, LATER)
    assert linked.storage.open_upload(*link(signed), at=NOW) == terms


async def test_a_download_link_carries_its_terms(linked: LinkedStore) -> None:
    await linked.storage.write(linked.upload(), pieces(CONTENT))
    terms = await linked.download()
    signed = await linked.storage.sign_download(terms, LATER)
    assert signed is not None
    opened = linked.storage.open_download(*link(signed), at=NOW)
    assert opened is not None
    # Which checksum the bytes had is not the link's to say.
    assert replace(opened, stored=replace(opened.stored, sha256=terms.stored.sha256)) == terms


async def test_a_link_ends_with_its_time(linked: LinkedStore) -> None:
    signed = await linked.storage.sign_upload(linked.upload(), LATER)
    assert linked.storage.open_upload(*link(signed), at=LATER - timedelta(seconds=1)) is not None
    assert linked.storage.open_upload(*link(signed), at=LATER) is None


async def test_a_changed_link_opens_nothing(linked: LinkedStore) -> None:
    path, query = link(await linked.storage.sign_upload(linked.upload(size_bytes=7), LATER))
    assert linked.storage.open_upload(path + "x", query, at=NOW) is None
    assert linked.storage.open_upload(path, {**query, "more": "1"}, at=NOW) is None
    for name, value in query.items():
        assert linked.storage.open_upload(path, {**query, name: value + "0"}, at=NOW) is None
        assert linked.storage.open_upload(path, {k: v for k, v in query.items() if k != name}, at=NOW) is None
    assert linked.storage.open_upload(path, {}, at=NOW) is None


async def test_a_link_opens_only_what_it_was_signed_for(linked: LinkedStore) -> None:
    await linked.storage.write(linked.upload(), pieces(CONTENT))
    uploads = link(await linked.storage.sign_upload(linked.upload(), LATER))
    signed = await linked.storage.sign_download(await linked.download(), LATER)
    assert signed is not None
    assert linked.storage.open_upload(*link(signed), at=NOW) is None
    assert linked.storage.open_download(*uploads, at=NOW) is None
    assert linked.storage.open_download(uploads[0], {**uploads[1], "signature": "é"}, at=NOW) is None


async def test_any_part_of_the_bytes_can_be_read(linked: LinkedStore) -> None:
    await linked.storage.write(linked.upload(), pieces(CONTENT))
    terms = await linked.download()
    for start, stop in ((0, len(CONTENT)), (0, 0), (5, 1_200_000), (len(CONTENT) - 1, len(CONTENT))):
        assert b"".join([piece async for piece in linked.storage.read(terms, start, stop)]) == CONTENT[start:stop]


async def test_a_restored_copy_of_the_bytes_is_read_through_its_link(linked: LinkedStore) -> None:
    await linked.storage.write(linked.upload(), pieces(CONTENT))
    terms = await linked.download()
    await linked.copy(linked.path())
    for _ in range(2):
        signed = await linked.storage.sign_download(terms, LATER)
        assert signed is not None
        opened = linked.storage.open_download(*link(signed), at=NOW)
        assert opened is not None
        assert b"".join([piece async for piece in linked.storage.read(opened, 0, len(CONTENT))]) == CONTENT


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), None], ids=["swapped", "gone"])
async def test_bytes_that_are_swapped_after_signing_are_not_read(linked: LinkedStore, content: bytes | None) -> None:
    await linked.storage.write(linked.upload(), pieces(CONTENT))
    terms = await linked.download()
    await linked.swap(linked.path(), content)
    with pytest.raises(Unavailable):
        _ = [piece async for piece in linked.storage.read(terms, 0, len(CONTENT))]


async def test_no_more_is_taken_of_an_upload_than_was_announced(linked: LinkedStore) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    assert isinstance(await linked.storage.write(linked.upload(size_bytes=10), endless()), UploadMismatch)
