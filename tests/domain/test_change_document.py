"""Changing and deleting documents: their records and their objects."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from domain.access import Caller
from domain.errors import PreconditionFailed
from domain.preconditions import Precondition
from ports.outcomes import Patched
from ports.queries import DocumentWithLinks, Usage
from ports.system import Unavailable
from tests.domain.samples import KEY
from tests.domain.world import NEVER_CALLED, Instead, World, unavailable


@pytest.mark.parametrize(
    ("member", "sent", "kept"),
    [
        *(("name", "e\u0301", "\xe9"), ("description", "Zeile 1\nZeile 2", "Zeile 1\nZeile 2")),
        *(("folder", "/b/c/", "/b/c"), ("mime_type", "TEXT/CSV", "text/csv"), ("tags", [" x ", "y", "x"], ("x", "y"))),
        *(("description", None, None), ("folder", None, None), ("tags", None, ())),
    ],
)
async def test_only_the_members_that_are_sent_change(world: World, member: str, sent: object, kept: object) -> None:
    caller = await world.caller()
    document = await world.record(caller, description="d", folder="/a", tags=["t"])
    world.clock.advance(seconds=1)
    wanted = replace(document, revision=2, updated_at=world.clock(), **{member: kept})  # type: ignore[arg-type]
    found = DocumentWithLinks(wanted, ())
    assert await world.patch_document(caller, document.id, {member: sent}, None) == Patched(found)
    assert await world.documents.get(caller.workspace_id, document.id) == found


async def test_a_document_in_another_state_is_neither_changed_nor_deleted(world: World, caller: Caller) -> None:
    document = await world.record(caller)
    other = Precondition(allowed=frozenset({"2"}))
    for attempt in (
        world.patch_document(caller, document.id, {"name": "b.pdf"}, None, other),
        world.delete_document(caller, document.id, None, other, hard=True),
    ):
        with pytest.raises(PreconditionFailed):
            await attempt
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(document, ())
    assert await world.storage.stat(document.storage_path) == document.stored


async def test_a_soft_delete_leaves_the_object_to_the_sweeper_and_does_not_call_the_store(claimed: World) -> None:
    world, caller = claimed, await claimed.caller()
    document = await world.record(caller)
    blind = replace(world.delete_document, storage=NEVER_CALLED)
    for is_replayed in (False, True):
        assert await blind(caller, document.id, KEY) is is_replayed
    assert await world.documents.usage(caller.workspace_id) == Usage(0, 1000, 0)
    assert await world.storage.stat(document.storage_path) == document.stored
    assert (await world.sweep.without_listing()).deleted == 1
    assert await world.storage.stat(document.storage_path) is None


async def test_the_object_of_a_deleted_document_is_noted_for_its_deletion(world: World, caller: Caller) -> None:
    document, noted = await world.record(caller), list[str]()
    deletions: Any = SimpleNamespace(note=noted.append)
    await replace(world.delete_document, deletions=deletions)(caller, document.id, None)
    assert noted == [document.storage_path]


async def test_a_hard_delete_whose_store_was_unavailable_is_finished_by_a_retry_or_the_sweeper(claimed: World) -> None:
    world, caller = claimed, await claimed.caller()
    document, other = await world.record(caller), await world.record(caller)
    cut_off: Any = Instead(world.storage, delete=unavailable)
    for id_, key in ((document.id, KEY), (other.id, None)):
        with pytest.raises(Unavailable):
            await replace(world.delete_document, storage=cut_off)(caller, id_, key, hard=True)
    assert await world.documents.usage(caller.workspace_id) == Usage(0, 1000, 0)
    assert await world.storage_paths() == {document.storage_path, other.storage_path}
    assert await world.delete_document(caller, document.id, KEY, hard=True) is True
    assert await world.storage_paths() == {other.storage_path}
    await world.sweep.without_listing()
    assert await world.storage_paths() == set()
