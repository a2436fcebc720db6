"""Deleting a document: its record and its object."""

from dataclasses import replace
from typing import Any

import pytest

from domain.access import Caller
from domain.errors import PreconditionFailed
from domain.preconditions import Precondition
from ports.queries import DocumentWithLinks, Usage
from ports.system import Unavailable
from tests.domain.samples import UNMET
from tests.domain.world import NEVER_ASKED, Instead, World, unavailable

KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


async def test_a_soft_delete_leaves_the_object_to_the_sweeper_and_does_not_call_the_store(claimed: World) -> None:
    world, caller = claimed, await claimed.caller()
    document = await world.record(caller)
    blind = replace(world.delete_document, storage=NEVER_ASKED)
    for expected in (False, True):
        assert await blind(caller, document.id, KEY) is expected
    assert await world.documents.usage(caller.workspace_id) == Usage(0, 1000, 0)
    assert await world.storage.stat(document.storage_path) == document.stored
    assert (await world.sweep.delete_condemned()).deleted == 1
    assert await world.storage.stat(document.storage_path) is None


async def test_a_hard_delete_deletes_the_object_at_once(world: World, caller: Caller) -> None:
    document, other = await world.record(caller), await world.record(caller)
    await world.delete_document(caller, document.id, None, hard=True)
    assert await world.storage_paths() == {other.storage_path}


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
    await world.sweep.delete_condemned()
    assert await world.storage_paths() == set()


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
@pytest.mark.parametrize("precondition", UNMET.values(), ids=UNMET)
async def test_a_document_in_another_state_than_required_is_not_deleted_and_the_key_stays_free(
    world: World, caller: Caller, precondition: Precondition, hard: bool
) -> None:
    recorded = await world.record(caller)
    document = await world.changed(caller, recorded, {"name": "b.pdf"})
    with pytest.raises(PreconditionFailed):
        await world.delete_document(caller, document.id, KEY, precondition, hard=hard)
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(document, ())
    assert await world.storage.stat(document.storage_path) == document.stored
    assert await world.delete_document(caller, document.id, KEY) is False
