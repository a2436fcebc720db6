"""The guarantees of the methods of `ServedStorage` that are not in `ObjectStorage`. The routes of signed URLs call
them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest

from ports.storage import SignedRequest, UploadMismatch
from ports.system import Unavailable
from tests.contracts.stores import CONTENT, PUBLIC_URL, SHA256, TYPE, ServedStore, pieces

NOW = datetime(2026, 4, 17, 10, 45, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)


class ClientGone(Exception):
    """Raised by the content, as the HTTP adapter does when the client disconnects."""


def path_and_query(signed: SignedRequest) -> tuple[str, Mapping[str, str]]:
    """Split a signed URL into the storage path and the query parameters that the HTTP routes pass to the store."""
    parts = urlsplit(signed.url)
    return unquote(parts.path).removeprefix("/storage/"), dict(parse_qsl(parts.query))


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 1000


async def test_a_mismatch_names_the_term_that_is_not_met_and_stores_nothing(served: ServedStore) -> None:
    for size_bytes, sha256, content, term in (
        (10, None, endless(), "size_bytes"),
        (len(CONTENT) + 1, None, pieces(CONTENT), "size_bytes"),
        (None, "0" * 64, pieces(CONTENT), "sha256"),
    ):
        result = await served.storage.write(served.terms(size_bytes=size_bytes, sha256=sha256), content)
        assert isinstance(result, UploadMismatch)
        assert result.term == term
        assert await served.storage.stat(served.path()) is None
        assert await served.count_leftovers() == 0


async def test_an_upload_that_the_client_aborts_leaves_nothing(served: ServedStore) -> None:
    async def aborted() -> AsyncIterator[bytes]:
        yield b"half a fi"
        raise ClientGone

    with pytest.raises(ClientGone):
        await served.storage.write(served.terms(), aborted())
    assert await served.storage.stat(served.path()) is None
    assert await served.count_leftovers() == 0
    stored = await served.storage.write(served.terms(), pieces(CONTENT))
    assert stored == await served.stored()
    assert stored.sha256 == SHA256


async def test_an_upload_in_progress_is_no_object_and_stores_nothing_if_it_is_discarded(served: ServedStore) -> None:
    async def discarded() -> AsyncIterator[bytes]:
        yield CONTENT
        assert await served.storage.stat(served.path()) is None
        assert [page async for page in served.storage.list(served.prefix)] == []
        assert await served.storage.discard_unfinished(served.prefix, datetime.now(UTC) + timedelta(hours=1)) == 1
        yield CONTENT

    with pytest.raises(Unavailable):
        await served.storage.write(served.terms(), discarded())
    assert await served.storage.stat(served.path()) is None
    assert await served.count_leftovers() == 0


async def test_an_upload_url_carries_its_terms_until_it_expires(served: ServedStore) -> None:
    terms = served.terms(size_bytes=7, sha256="ab" * 32)
    signed = await served.storage.sign_upload(terms, LATER)
    assert signed.url.startswith(f"{PUBLIC_URL}/storage/{quote(served.path())}?")
    assert (signed.method, signed.headers, signed.expires_at) == ("PUT", {"Content-Type": TYPE}, LATER)
    path, query = path_and_query(signed)
    assert served.storage.open_upload(path, query, at=LATER - timedelta(seconds=1)) == terms
    assert served.storage.open_upload(path, query, at=LATER) is None
    assert served.storage.open_download(path, query, at=NOW) is None
    assert served.storage.open_upload(path, {**query, "signature": "é"}, at=NOW) is None


async def test_a_download_url_carries_its_terms_but_not_the_checksum(served: ServedStore) -> None:
    await served.upload()
    terms = await served.download_terms()
    signed = await served.storage.sign_download(terms, LATER)
    assert signed is not None
    opened = served.storage.open_download(*path_and_query(signed), at=NOW)
    assert opened is not None
    assert replace(opened, stored=replace(opened.stored, sha256=terms.stored.sha256)) == terms
    assert served.storage.open_upload(*path_and_query(signed), at=NOW) is None


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), None], ids=["replaced", "deleted"])
async def test_bytes_that_are_replaced_after_signing_are_not_read(served: ServedStore, content: bytes | None) -> None:
    await served.upload()
    terms = await served.download_terms()
    await served.replace(served.path(), content)
    with pytest.raises(Unavailable):
        _ = [piece async for piece in served.storage.read(terms, 0, len(CONTENT))]


async def test_at_most_one_upload_to_a_path_is_received_at_a_time(served: ServedStore) -> None:
    for _ in range(2):
        async with served.storage.receiving(served.path()) as first:
            for _ in range(2):
                async with served.storage.receiving(served.path()) as second:
                    assert (first, second) == (True, False)
            async with served.storage.receiving(served.path("documents/other")) as other:
                assert other
        assert await served.count_leftovers() == 0

    with pytest.raises(ClientGone):
        async with served.storage.receiving(served.path()):
            raise ClientGone
    alone = []

    async def receive() -> None:
        async with served.storage.receiving(served.path()) as is_alone:
            alone.append(is_alone)
            await barrier.wait()

    barrier = asyncio.Barrier(8)
    await asyncio.gather(*(receive() for _ in range(8)))
    assert alone.count(True) == 1
