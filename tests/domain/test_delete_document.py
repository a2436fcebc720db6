"""Deleting a document: its record, its links, and its bytes."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller, Permission
from domain.documents import Document
from domain.entity_links import EntityType
from domain.errors import (
    IdempotencyMismatch,
    InsufficientPermissions,
    NotFound,
    PreconditionFailed,
    QuotaExceeded,
    StorageConflict,
)
from domain.paths import StoragePath
from domain.use_cases.change_document import DeleteDocument
from domain.use_cases.sweep import SweepReport
from ports.ledger import PathState
from ports.queries import DocumentWithLinks, Usage
from ports.system import Unavailable
from tests.domain.anything import TEXTS
from tests.domain.samples import MALFORMED_IDS
from tests.domain.world import NEVER_ASKED, World, members

KEY, OTHER_KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7", "00000000-0000-0000-0000-000000000000"
BLIND = DeleteDocument(documents=NEVER_ASKED, storage=NEVER_ASKED, now=NEVER_ASKED)


@pytest.fixture
async def world() -> World:
    world = World()
    await world.claim_storage()
    return world


class Away:
    """A store that is away."""

    async def delete(self, paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        raise Unavailable("black hole")


async def state(world: World, document: Document) -> PathState | None:
    path = document.storage_path
    return (await world.ledger.states(document.workspace_id, [path])).get(path)


async def test_a_deleted_document_is_nowhere_to_be_found(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, folder="/a", tags=["t"])
    await world.link(caller, document)
    assert await world.delete_document(caller, document.id, None) is False
    with pytest.raises(NotFound):
        await world.get_document(caller, document.id, download=False)
    assert (await world.find_documents(caller, {})).found.documents == ()
    assert (await world.find_linked_documents(caller, EntityType.CONTACT, "c-1", {}))[0].rows == ()
    assert (await world.list_tags(caller, {}))[0].rows == ()
    assert await world.folders(caller) == {"/a": 0}
    with pytest.raises(NotFound):
        await world.delete_document(caller, document.id, None)


async def test_the_others_stay_as_they_are(world: World) -> None:
    caller = await world.caller()
    document, other = await world.record(caller), await world.record(caller)
    await world.link(caller, document)
    link = await world.link(caller, other)
    await world.delete_document(caller, document.id, None)
    assert await world.documents.get(caller.workspace_id, other.id) == DocumentWithLinks(other, (link,))


async def test_its_size_is_given_back_to_the_quota_at_once_and_to_the_byte(world: World) -> None:
    caller = await world.caller(quota_bytes=10)
    document = await world.record(caller, b"1234567")
    await world.record(caller, b"123")
    with pytest.raises(QuotaExceeded):
        await world.record(caller, b"1")
    await world.delete_document(caller, document.id, None)
    assert await world.documents.usage(caller.workspace_id) == Usage(3, 10, 1)
    await world.record(caller, b"7654321")
    with pytest.raises(QuotaExceeded):
        await world.record(caller, b"1")


async def test_what_was_recorded_is_given_back_whatever_lies_there_now(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, b"12345")
    world.storage.swap(document.storage_path, b"more than was recorded")
    await world.delete_document(caller, document.id, None)
    assert await world.documents.usage(caller.workspace_id) == Usage(0, 1000, 0)


async def test_the_bytes_lie_there_until_the_sweeper_comes(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, b"12345")
    await world.delete_document(caller, document.id, None)
    assert await world.storage.stat(document.storage_path) == document.stored
    assert await state(world, document) is PathState.CONDEMNED
    assert (await world.sweep.delete_condemned()).deleted == 1
    assert await world.storage.stat(document.storage_path) is None
    world.clock.advance(hours=1, seconds=1)
    await world.sweep.delete_condemned()
    assert await state(world, document) is PathState.GONE


async def test_a_whole_sweep_takes_the_bytes_of_the_deleted_and_of_nobody_else(world: World) -> None:
    caller = await world.caller()
    deleted, kept = await world.record(caller), await world.record(caller)
    await world.delete_document(caller, deleted.id, None)
    world.clock.advance(days=1)
    assert await world.sweep() == SweepReport(objects=1, condemned=1, deleted=1)
    assert await world.storage_paths() == {kept.storage_path}


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
async def test_a_path_stays_taken_for_good(world: World, hard: bool) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    await world.delete_document(caller, document.id, None, hard=hard)
    for _ in range(2):
        world.storage.swap(document.storage_path, b"new bytes")
        with pytest.raises(StorageConflict) as refused:
            await world.create_document(caller, members(document.storage_path), None)
        assert refused.value.document_id is None
        await world.sweep.delete_condemned()
        world.clock.advance(hours=2)
        await world.sweep.delete_condemned()
    assert await state(world, document) is PathState.GONE
    assert (await world.documents.usage(caller.workspace_id)).documents == 0


async def test_a_hard_delete_takes_the_bytes_at_once(world: World) -> None:
    caller = await world.caller()
    document, other = await world.record(caller), await world.record(caller)
    await world.delete_document(caller, document.id, None, hard=True)
    assert await world.storage_paths() == {other.storage_path}


async def test_a_hard_delete_whose_store_was_away_takes_the_bytes_when_it_is_sent_again(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, b"12345")
    cut_off = replace(world.delete_document, storage=Away())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await cut_off(caller, document.id, KEY, hard=True)
    assert await world.documents.usage(caller.workspace_id) == Usage(0, 1000, 0)
    assert await world.storage.stat(document.storage_path) == document.stored
    assert await world.delete_document(caller, document.id, KEY, hard=True) is True
    assert await world.storage.stat(document.storage_path) is None


async def test_a_hard_delete_whose_store_was_away_is_finished_by_the_sweeper_too(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    cut_off = replace(world.delete_document, storage=Away())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await cut_off(caller, document.id, None, hard=True)
    await world.sweep.delete_condemned()
    assert await world.storage.stat(document.storage_path) is None


async def test_a_soft_delete_asks_the_store_nothing(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    blind = replace(world.delete_document, storage=NEVER_ASKED)
    for expected in (False, True):
        assert await blind(caller, document.id, KEY) is expected


async def test_a_retry_gets_the_first_answer_for_24_hours_and_no_longer(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    assert await world.delete_document(caller, document.id, KEY) is False
    world.clock.advance(hours=23, minutes=59, seconds=59)
    assert await world.delete_document(caller, document.id, KEY) is True
    world.clock.advance(seconds=1)
    with pytest.raises(NotFound):
        await world.delete_document(caller, document.id, KEY)


async def test_without_the_key_or_with_another_a_retry_finds_nothing(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    await world.delete_document(caller, document.id, KEY)
    for key in (None, OTHER_KEY):
        with pytest.raises(NotFound):
            await world.delete_document(caller, document.id, key)


async def test_another_request_with_the_key_is_a_mismatch_and_deletes_nothing(world: World) -> None:
    caller = await world.caller()
    document, other = await world.record(caller), await world.record(caller)
    await world.delete_document(caller, document.id, KEY)
    absent = "doc_" + world.new_id(world.clock())
    for id_, hard in ((document.id, True), (other.id, False), (other.id, True), (absent, False)):
        with pytest.raises(IdempotencyMismatch):
            await world.delete_document(caller, id_, KEY, hard=hard)
    assert await world.storage_paths() == {document.storage_path, other.storage_path}
    assert (await world.documents.usage(caller.workspace_id)).documents == 1
    assert await world.delete_document(caller, document.id, KEY) is True


async def test_a_create_is_answered_as_it_was_although_its_document_is_deleted(world: World) -> None:
    caller = await world.caller()
    sent = members(await world.upload(caller))
    first = await world.create_document(caller, sent, KEY)
    with pytest.raises(IdempotencyMismatch):
        await world.delete_document(caller, first.document.id, KEY)
    await world.delete_document(caller, first.document.id, None)
    again = await world.create_document(caller, sent, KEY)
    assert (again.replayed, again.document) == (True, first.document)
    assert (await world.documents.usage(caller.workspace_id)).documents == 0


async def deletable(world: World) -> tuple[Caller, Document]:
    """A document in its second state."""
    caller = await world.caller()
    document = await world.record(caller)
    return caller, (await world.patch_document(caller, document.id, {"name": "b.pdf"})).document


@pytest.mark.parametrize("expected_revisions", [None, frozenset({2}), frozenset({1, 2})], ids=repr)
async def test_the_state_that_was_seen_is_deleted(world: World, expected_revisions: frozenset[int] | None) -> None:
    caller, document = await deletable(world)
    assert await world.delete_document(caller, document.id, None, expected_revisions) is False
    assert (await world.documents.usage(caller.workspace_id)).documents == 0


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
@pytest.mark.parametrize("expected_revisions", [frozenset[int](), frozenset({1}), frozenset({1, 3})], ids=repr)
async def test_another_state_is_not_deleted_and_leaves_the_key_free(
    world: World, expected_revisions: frozenset[int], hard: bool
) -> None:
    caller, document = await deletable(world)
    with pytest.raises(PreconditionFailed):
        await world.delete_document(caller, document.id, KEY, expected_revisions, hard=hard)
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(document, ())
    assert await world.storage.stat(document.storage_path) == document.stored
    assert await world.delete_document(caller, document.id, KEY) is False


async def test_a_retry_is_answered_whatever_state_it_names(world: World) -> None:
    caller, document = await deletable(world)
    await world.delete_document(caller, document.id, KEY, frozenset({2}))
    assert await world.delete_document(caller, document.id, KEY, frozenset({2})) is True


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
async def test_a_foreign_document_is_not_found_and_stays(world: World, hard: bool) -> None:
    theirs = await world.record(await world.caller())
    with pytest.raises(NotFound):
        await world.delete_document(await world.caller(), theirs.id, KEY, hard=hard)
    assert await world.documents.get(theirs.workspace_id, theirs.id) == DocumentWithLinks(theirs, ())
    assert await world.storage.stat(theirs.storage_path) == theirs.stored


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
@pytest.mark.parametrize("id_as_sent", MALFORMED_IDS.values(), ids=MALFORMED_IDS)
async def test_a_malformed_id_is_not_found_and_asks_nobody(world: World, id_as_sent: str, hard: bool) -> None:
    with pytest.raises(NotFound):
        await BLIND(await world.caller(), id_as_sent, KEY, hard=hard)


@given(TEXTS, st.booleans(), st.sets(st.sampled_from(Permission)))
async def test_the_permissions_are_checked_before_anything_else(
    id_as_sent: str, hard: bool, granted: set[Permission]
) -> None:
    needed = {Permission.WRITE_DOCUMENTS, Permission.ADMIN_DOCUMENTS} if hard else {Permission.WRITE_DOCUMENTS}
    caller = replace(await World().caller(), permissions=frozenset(granted))
    if needed <= granted:
        return
    with pytest.raises(InsufficientPermissions) as refused:
        await BLIND(caller, id_as_sent, KEY, frozenset({1}), hard=hard)
    assert refused.value.permission in needed - granted


async def test_a_hard_delete_needs_admin_documents_and_without_it_deletes_nothing(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    writer = replace(caller, permissions=frozenset(Permission) - {Permission.ADMIN_DOCUMENTS})
    with pytest.raises(InsufficientPermissions, match="admin:documents"):
        await world.delete_document(writer, document.id, KEY, hard=True)
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(document, ())
    assert await world.delete_document(writer, document.id, KEY) is False


async def test_deleting_needs_no_other_permission(world: World) -> None:
    caller = await world.caller()
    soft, hard = await world.record(caller), await world.record(caller)
    writer = replace(caller, permissions=frozenset({Permission.WRITE_DOCUMENTS}))
    assert await world.delete_document(writer, soft.id, None) is False
    admin = replace(caller, permissions=frozenset({Permission.WRITE_DOCUMENTS, Permission.ADMIN_DOCUMENTS}))
    assert await world.delete_document(admin, hard.id, None, hard=True) is False
