"""Receiving an upload: how many bytes it may have, and how many are reserved at each moment."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.memory.disks import MemoryDisks
from domain.access import Caller
from domain.documents import StoredObject
from domain.errors import DiskFull, ObjectExists, PayloadTooLarge, QuotaExceeded, UploadUnderWay
from domain.use_cases import receive_upload
from domain.use_cases.receive_upload import ReceiveUpload
from domain.use_cases.request_upload import Upload
from ports.ledger import PathState
from ports.storage import UploadMismatch, UploadTerms
from tests.domain.world import World, followed, members

QUOTA = 100


@pytest.fixture
async def caller(world: World) -> Caller:
    return await world.caller(quota_bytes=QUOTA)


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive_upload, "STEP_BYTES", 8)


def receiving(world: World) -> ReceiveUpload:
    assert world.use_cases.receive_upload is not None
    return world.use_cases.receive_upload


def size_of(outcome: StoredObject | UploadMismatch) -> int:
    assert isinstance(outcome, StoredObject)
    return outcome.size_bytes


async def issued(world: World, caller: Caller, size_bytes: int | None = None) -> tuple[Upload, UploadTerms]:
    sent = {"name": "a.pdf", "mime_type": "application/pdf", "size_bytes": size_bytes}
    upload = await world.request_upload(caller, sent)
    path, query = followed(upload.request.url)
    terms = world.storage.open_upload(path, query, world.clock())
    assert terms is not None
    return upload, terms


async def reserved(world: World, caller: Caller) -> int:
    return (await world.documents.usage(caller.workspace_id)).reserved_bytes


async def arriving(*pieces: bytes, seen: list[int] | None = None, ask: object = None) -> AsyncIterator[bytes]:
    for piece in pieces:
        if seen is not None and callable(ask):
            seen.append(await ask())
        yield piece


class Unread:
    """A content that must not be read."""

    def __aiter__(self) -> "Unread":
        return self

    async def __anext__(self) -> bytes:
        raise AssertionError("the content was read")


async def test_a_length_that_does_not_fit_is_refused_before_a_byte_is_read(world: World, caller: Caller) -> None:
    await world.record(caller, b"x" * 30)
    await issued(world, caller, size_bytes=20)
    upload, terms = await issued(world, caller)
    with pytest.raises(QuotaExceeded) as refused:
        await receiving(world)(terms, 51, Unread())
    assert vars(refused.value) == {"limit_bytes": QUOTA, "used_bytes": 50, "requested_bytes": 51}
    with pytest.raises(PayloadTooLarge):
        await receiving(world)(terms, 5 * 2**30 + 1, Unread())
    assert await reserved(world, caller) == 20
    assert await world.storage.stat(upload.path) is None
    await receiving(world)(terms, 50, arriving(b"x" * 50))
    assert await reserved(world, caller) == 70
    await world.create_document(caller, members(upload.path), None)
    assert await reserved(world, caller) == 20


async def test_an_upload_of_unknown_length_reserves_in_steps_up_to_the_quota(world: World, caller: Caller) -> None:
    seen: list[int] = []
    upload, terms = await issued(world, caller)
    content = arriving(*[b"x" * 4] * 3, seen=seen, ask=lambda: reserved(world, caller))
    assert size_of(await receiving(world)(terms, None, content)) == 12
    assert seen == [0, 12, 12]
    assert await reserved(world, caller) == 12

    # The last step is smaller than the others: exactly the rest fits, and one byte more does not.
    for rest, fits in ((89, False), (88, True)):
        _, terms = await issued(world, caller)
        pieces = arriving(*[b"x"] * rest)
        if fits:
            assert size_of(await receiving(world)(terms, None, pieces)) == rest
        else:
            with pytest.raises(QuotaExceeded) as refused:
                await receiving(world)(terms, None, pieces)
            assert vars(refused.value) == {"limit_bytes": QUOTA, "used_bytes": 12, "requested_bytes": rest}
            assert await reserved(world, caller) == 12
            assert await world.storage.stat(terms.path) is None
    assert await reserved(world, caller) == QUOTA
    assert await world.storage_paths() == {upload.path, terms.path}


async def test_a_refused_upload_keeps_the_reservation_of_its_url(world: World, caller: Caller) -> None:
    for size_bytes, content in ((10, b"x" * 9), (None, b"")):
        _, terms = await issued(world, caller, size_bytes)
        before = await reserved(world, caller)
        outcome = await receiving(world)(replace(terms, sha256="0" * 64), 10, arriving(content))
        assert isinstance(outcome, UploadMismatch)
        assert await reserved(world, caller) == before


async def test_a_second_upload_is_refused_during_the_first_and_reserves_nothing(world: World, caller: Caller) -> None:
    _, terms = await issued(world, caller)

    async def with_another() -> AsyncIterator[bytes]:
        yield b"x" * 20
        with pytest.raises(UploadUnderWay):
            await receiving(world)(terms, 1, Unread())
        assert await reserved(world, caller) == 40
        yield b"x" * 20

    assert size_of(await receiving(world)(terms, 40, with_another())) == 40
    with pytest.raises(ObjectExists):
        await receiving(world)(terms, 1, Unread())
    assert await reserved(world, caller) == 40


@pytest.mark.usefixtures("claimed")
async def test_an_upload_that_is_still_received_is_never_condemned(world: World, caller: Caller) -> None:
    upload, terms = await issued(world, caller, 30)

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(30):
            world.clock.advance(minutes=20)
            await world.sweep.without_listing()
            yield b"x"

    await receiving(world)(terms, 30, slow())
    assert (await world.ledger.states([upload.path])) == {upload.path: PathState.ISSUED}
    await world.create_document(caller, members(upload.path), None)


@pytest.mark.usefixtures("claimed")
async def test_the_reservation_of_an_upload_that_never_arrived_ends_in_an_hour(world: World, caller: Caller) -> None:
    upload, _ = await issued(world, caller, QUOTA)
    other, terms = await issued(world, caller)
    world.clock.advance(minutes=59)
    await world.sweep.without_listing()
    assert await reserved(world, caller) == QUOTA
    world.clock.advance(minutes=1)
    assert (await world.sweep.without_listing()).expired == 2
    assert await reserved(world, caller) == 0
    states = await world.ledger.states([upload.path, other.path])
    assert set(states.values()) == {PathState.CONDEMNED}
    with pytest.raises(ObjectExists):
        await receiving(world)(terms, 1, Unread())


@pytest.mark.usefixtures("claimed")
async def test_an_unrecorded_object_reserves_its_size_until_it_is_swept(world: World, caller: Caller) -> None:
    path = (await issued(world, caller))[0].path
    world.storage.swap(path, b"x" * (QUOTA + 1))  # as an upload to S3 may be
    world.clock.advance(hours=1)
    await world.sweep.without_listing()
    assert await reserved(world, caller) == QUOTA + 1
    with pytest.raises(QuotaExceeded) as refused:
        await issued(world, caller, 1)
    assert refused.value.used_bytes == QUOTA + 1
    world.clock.advance(days=1)
    await world.sweep()
    assert await reserved(world, caller) == 0


async def test_a_full_disk_refuses_uploads_also_while_they_arrive(world: World, caller: Caller) -> None:
    upload, terms = await issued(world, caller)
    full = replace(receiving(world), disks=MemoryDisks(100, 101))
    with pytest.raises(DiskFull):
        await full(terms, 1, Unread())

    class Filling(MemoryDisks):
        async def are_full(self, needed_bytes: int) -> bool:
            return needed_bytes == 0

    filling = replace(receiving(world), disks=Filling())
    with pytest.raises(DiskFull):
        await filling(terms, 50, arriving(*[b"x"] * 50))
    assert await reserved(world, caller) == 0
    assert await world.storage.stat(upload.path) is None
    assert isinstance(await receiving(world)(terms, 1, arriving(b"x")), StoredObject)
