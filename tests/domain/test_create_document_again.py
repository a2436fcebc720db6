"""Recording a document with an Idempotency-Key: retries, twins, refusals that leave the key free."""

import asyncio
from dataclasses import replace

import pytest

from domain.access import Caller, Permission
from domain.errors import (
    IdempotencyMismatch,
    InsufficientPermissions,
    Invalid,
    QuotaExceeded,
    Refusal,
    StorageConflict,
)
from domain.ids import ApiKeyId
from domain.paths import StoragePath, workspace_prefix
from ports.queries import Usage
from ports.system import Unavailable
from tests.domain.samples import FOREIGN
from tests.domain.world import World, members

KEY, OTHER_KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7", "00000000-0000-0000-0000-000000000000"


async def test_the_same_request_gets_the_first_answer_and_records_nothing(world: World) -> None:
    caller = await world.caller()
    sent = members(await world.upload(caller, b"12345"), tags=["a"])
    first = await world.create_document(caller, sent, KEY)
    world.clock.advance(hours=1)
    again = await world.create_document(caller, dict(reversed(sent.items())), KEY)
    assert not first.replayed
    assert again.replayed
    assert again.document == first.document
    assert await world.documents.usage(caller.workspace_id) == Usage(5, 1000, 1)


async def test_a_retry_is_answered_for_24_hours_and_no_longer(world: World) -> None:
    caller = await world.caller()
    sent = members(await world.upload(caller))
    first = await world.create_document(caller, sent, KEY)
    world.clock.advance(hours=23, minutes=59, seconds=59)
    assert (await world.create_document(caller, sent, KEY)).document == first.document
    world.clock.advance(seconds=1)
    with pytest.raises(StorageConflict):
        await world.create_document(caller, sent, KEY)
    world.clock.advance(days=1)
    with pytest.raises(StorageConflict):
        await world.create_document(caller, sent, KEY)


async def test_an_answer_does_not_prolong_the_24_hours(world: World) -> None:
    caller = await world.caller()
    sent = members(await world.upload(caller))
    await world.create_document(caller, sent, KEY)
    for _ in range(2):
        world.clock.advance(hours=11)
        assert (await world.create_document(caller, sent, KEY)).replayed
    world.clock.advance(hours=2)
    with pytest.raises(StorageConflict):
        await world.create_document(caller, sent, KEY)


async def test_after_24_hours_the_key_serves_another_request(world: World) -> None:
    caller = await world.caller()
    await world.create_document(caller, members(await world.upload(caller)), KEY)
    world.clock.advance(hours=24)
    other = members(await world.upload(caller))
    assert not (await world.create_document(caller, other, KEY)).replayed
    assert (await world.create_document(caller, other, KEY)).replayed


@pytest.mark.parametrize(
    "change",
    [{"name": "b.pdf"}, {"tags": []}, {"folder": None}, {"size_bytes": 5}, {"mime_type": "APPLICATION/PDF"}],
    ids=repr,
)
async def test_another_request_with_the_key_is_a_mismatch(world: World, change: dict[str, object]) -> None:
    caller = await world.caller()
    sent = members(await world.upload(caller, b"12345"))
    first = await world.create_document(caller, sent, KEY)
    with pytest.raises(IdempotencyMismatch):
        await world.create_document(caller, sent | change, KEY)
    assert (await world.create_document(caller, sent, KEY)).document == first.document
    assert await world.documents.usage(caller.workspace_id) == Usage(5, 1000, 1)


async def test_another_path_with_the_key_is_a_mismatch_whether_bytes_lie_there_or_not(world: World) -> None:
    caller = await world.caller()
    await world.create_document(caller, members(await world.upload(caller)), KEY)
    there = await world.upload(caller)
    for path in (there, f"{there}.gone"):
        with pytest.raises(IdempotencyMismatch):
            await world.create_document(caller, members(path), KEY)


@pytest.mark.parametrize("now_there", [None, b"", b"other length", b"54321"], ids=repr)
@pytest.mark.parametrize("more", [{}, {"size_bytes": 5}], ids=["size left out", "size sent"])
async def test_a_retry_is_answered_although_the_bytes_are_gone(
    world: World, now_there: bytes | None, more: dict[str, object]
) -> None:
    caller = await world.caller()
    path = await world.upload(caller, b"12345")
    first = await world.create_document(caller, members(path, **more), KEY)
    world.storage.swap(path, now_there)
    again = await world.create_document(caller, members(path, **more), KEY)
    assert again.replayed
    assert again.document == first.document


async def test_bytes_gone_and_24_hours_later_the_retry_is_told_so(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    await world.create_document(caller, members(path), KEY)
    world.storage.swap(path, None)
    world.clock.advance(hours=24)
    with pytest.raises(Invalid) as refused:
        await world.create_document(caller, members(path), KEY)
    assert set(refused.value.fields) == {"storage_path"}


async def test_a_retry_is_answered_although_the_quota_has_shrunk(world: World) -> None:
    caller = await world.caller()
    sent = members(await world.upload(caller))
    await world.create_document(caller, sent, KEY)
    await world.workspaces.update(caller.workspace_id, None, 0)
    assert (await world.create_document(caller, sent, KEY)).replayed


async def test_a_key_is_known_in_the_whole_workspace_and_in_no_other(world: World) -> None:
    caller, stranger = await world.caller(), await world.caller()
    sent = members(await world.upload(caller))
    first = await world.create_document(caller, sent, KEY)
    colleague = replace(caller, key_id=ApiKeyId("key_" + world.new_id(world.clock())), request_id="req_2")
    assert (await world.create_document(colleague, sent, KEY)).document == first.document
    assert not (await world.create_document(stranger, members(await world.upload(stranger)), KEY)).replayed


async def test_a_retry_needs_the_permission_too(world: World) -> None:
    caller = await world.caller()
    sent = members(await world.upload(caller))
    await world.create_document(caller, sent, KEY)
    with pytest.raises(InsufficientPermissions):
        await world.create_document(replace(caller, permissions=frozenset()), sent, KEY)


async def test_without_the_key_or_with_another_the_same_request_is_a_conflict(world: World) -> None:
    caller = await world.caller()
    sent = members(await world.upload(caller))
    first = await world.create_document(caller, sent, KEY)
    for key in (None, OTHER_KEY):
        with pytest.raises(StorageConflict) as refused:
            await world.create_document(caller, sent, key)
        assert refused.value.document_id == first.document.id


async def test_a_request_without_a_key_is_not_answered_by_a_retry_with_one(world: World) -> None:
    caller = await world.caller()
    sent = members(await world.upload(caller))
    await world.create_document(caller, sent, None)
    with pytest.raises(StorageConflict):
        await world.create_document(caller, sent, KEY)


async def test_of_twins_at_once_one_records_and_all_get_one_answer(world: World) -> None:
    caller = await world.caller()
    sent = members(await world.upload(caller, b"12345"))
    receipts = await asyncio.gather(*(world.create_document(caller, sent, KEY) for _ in range(20)))
    assert [receipt.replayed for receipt in receipts].count(False) == 1
    assert {receipt.document.id for receipt in receipts} == {receipts[0].document.id}
    assert await world.documents.usage(caller.workspace_id) == Usage(5, 1000, 1)


async def prepare(world: World) -> tuple[Caller, dict[str, StoragePath]]:
    """A workspace of 100 bytes, and paths by what lies there: a document of 10, a file too big, one that fits."""
    caller = await world.caller(quota_bytes=100)
    return caller, {
        "taken": (await world.record(caller, b"x" * 10)).storage_path,
        "big": await world.upload(caller, b"x" * 91),
        "free": await world.upload(caller, b"x" * 90),
        "absent": StoragePath(workspace_prefix(caller.workspace_id) + "absent"),
    }


REFUSED: dict[str, tuple[type[Refusal], str, dict[str, object]]] = {
    "a wrong member": (Invalid, "free", {"name": ""}),
    "an unknown member": (Invalid, "free", {"owner": "me"}),
    "a foreign path": (Invalid, "free", {"storage_path": f"workspaces/{FOREIGN}/a"}),
    "no bytes": (Invalid, "absent", {}),
    "another size": (Invalid, "free", {"size_bytes": 89}),
    "a path taken": (StorageConflict, "taken", {}),
    "over quota": (QuotaExceeded, "big", {}),
}


@pytest.mark.parametrize(("refusal", "at", "more"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_writes_and_charges_nothing_and_leaves_the_key_free(
    world: World, refusal: type[Refusal], at: str, more: dict[str, object]
) -> None:
    caller, paths = await prepare(world)
    for _ in range(2):
        with pytest.raises(refusal):
            await world.create_document(caller, {**members(paths[at], folder="/new"), **more}, KEY)
        assert await world.documents.usage(caller.workspace_id) == Usage(10, 100, 1)
    good = members(paths["free"])
    assert not (await world.create_document(caller, good, KEY)).replayed
    assert (await world.create_document(caller, good, KEY)).replayed


@pytest.mark.parametrize("granted", [frozenset(), frozenset({Permission.READ_DOCUMENTS})], ids=["none", "read"])
async def test_a_missing_permission_leaves_the_key_free(world: World, granted: frozenset[Permission]) -> None:
    caller, paths = await prepare(world)
    with pytest.raises(InsufficientPermissions):
        await world.create_document(replace(caller, permissions=granted), members(paths["free"]), KEY)
    assert not (await world.create_document(caller, members(paths["free"]), KEY)).replayed


async def test_the_very_request_that_was_refused_succeeds_once_its_cause_is_gone(world: World) -> None:
    caller, paths = await prepare(world)
    with pytest.raises(QuotaExceeded):
        await world.create_document(caller, members(paths["big"]), KEY)
    await world.workspaces.update(caller.workspace_id, None, 1000)
    assert not (await world.create_document(caller, members(paths["big"]), KEY)).replayed

    with pytest.raises(Invalid):
        await world.create_document(caller, members(paths["absent"]), OTHER_KEY)
    world.storage.swap(paths["absent"], b"12345")
    assert not (await world.create_document(caller, members(paths["absent"]), OTHER_KEY)).replayed


class Away:
    """A store that is away."""

    async def stat(self, path: StoragePath) -> None:
        raise Unavailable("black hole")


async def test_a_store_that_is_away_leaves_the_key_free(world: World) -> None:
    caller, paths = await prepare(world)
    cut_off = replace(world.create_document, storage=Away())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await cut_off(caller, members(paths["free"]), KEY)
    assert await world.documents.usage(caller.workspace_id) == Usage(10, 100, 1)
    assert not (await world.create_document(caller, members(paths["free"]), KEY)).replayed
