"""Deleting a document: its record, its entity links and its object."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.access import Caller
from domain.documents import Document
from domain.entity_links import EntityType
from domain.errors import (
    NotFound,
    PreconditionFailed,
    StorageConflict,
)
from domain.paths import StoragePath
from ports.ledger import PathState
from ports.queries import DocumentWithLinks, Usage
from ports.system import Unavailable
from tests.domain.world import NEVER_ASKED, World, members

KEY, OTHER_KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7", "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def world() -> World:
    world = World()
    await world.claim_store()
    return world


class UnavailableStore:
    """An unavailable store."""

    async def delete(self, paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        raise Unavailable("black hole")


async def state(world: World, document: Document) -> PathState | None:
    path = document.storage_path
    return (await world.ledger.states(document.workspace_id, [path])).get(path)


async def test_a_deleted_document_is_neither_read_nor_listed(world: World) -> None:
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


async def test_the_recorded_size_is_returned_to_the_quota_even_if_the_object_has_changed(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, b"12345")
    world.storage.swap(document.storage_path, b"more than was recorded")
    await world.delete_document(caller, document.id, None)
    assert await world.documents.usage(caller.workspace_id) == Usage(0, 1000, 0)


async def test_the_object_exists_until_the_sweeper_deletes_it(world: World) -> None:
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


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
async def test_a_path_can_never_be_recorded_again(world: World, hard: bool) -> None:
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


async def test_a_hard_delete_deletes_the_object_at_once(world: World) -> None:
    caller = await world.caller()
    document, other = await world.record(caller), await world.record(caller)
    await world.delete_document(caller, document.id, None, hard=True)
    assert await world.storage_paths() == {other.storage_path}


async def test_a_retried_hard_delete_deletes_the_object_if_the_store_was_unavailable_before(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, b"12345")
    cut_off = replace(world.delete_document, storage=UnavailableStore())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await cut_off(caller, document.id, KEY, hard=True)
    assert await world.documents.usage(caller.workspace_id) == Usage(0, 1000, 0)
    assert await world.storage.stat(document.storage_path) == document.stored
    assert await world.delete_document(caller, document.id, KEY, hard=True) is True
    assert await world.storage.stat(document.storage_path) is None


async def test_the_sweeper_finishes_a_hard_delete_whose_store_was_unavailable(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    cut_off = replace(world.delete_document, storage=UnavailableStore())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await cut_off(caller, document.id, None, hard=True)
    await world.sweep.delete_condemned()
    assert await world.storage.stat(document.storage_path) is None


async def test_a_soft_delete_does_not_call_the_store(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    blind = replace(world.delete_document, storage=NEVER_ASKED)
    for expected in (False, True):
        assert await blind(caller, document.id, KEY) is expected


async def deletable(world: World) -> tuple[Caller, Document]:
    """Return a caller and a document with revision 2."""
    caller = await world.caller()
    document = await world.record(caller)
    return caller, (await world.patch_document(caller, document.id, {"name": "b.pdf"})).document


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
@pytest.mark.parametrize("expected_revisions", [frozenset[int](), frozenset({1}), frozenset({1, 3})], ids=repr)
async def test_an_unexpected_revision_is_not_deleted_and_leaves_the_key_free(
    world: World, expected_revisions: frozenset[int], hard: bool
) -> None:
    caller, document = await deletable(world)
    with pytest.raises(PreconditionFailed):
        await world.delete_document(caller, document.id, KEY, expected_revisions, hard=hard)
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(document, ())
    assert await world.storage.stat(document.storage_path) == document.stored
    assert await world.delete_document(caller, document.id, KEY) is False
