"""The state of a document, which is its entity tag, and what a client requires of it."""

from dataclasses import replace

import pytest

from domain.access import Caller
from domain.documents import Document
from domain.paths import FolderPath
from domain.preconditions import UNCONDITIONAL, Precondition
from tests.domain.test_changes import RECORD
from tests.domain.world import World


@pytest.mark.parametrize(
    ("allowed", "refused", "holding"),
    [
        *((None, set(), {"1", "2"}), (set(), set(), set()), ({"1"}, set(), {"1"}), ({"1", "3"}, set(), {"1"})),
        *((None, {"1"}, {"2"}), (None, {"1", "2"}, set()), ({"1", "2"}, {"1"}, {"2"}), ({"1"}, {"1"}, set())),
    ],
)
def test_a_precondition_holds_in_the_states_that_it_allows_and_does_not_refuse(
    allowed: set[str] | None, refused: set[str], holding: set[str]
) -> None:
    precondition = Precondition(None if allowed is None else frozenset(allowed), frozenset(refused))
    assert {state for state in ("1", "2") if precondition.holds(state)} == holding
    assert UNCONDITIONAL.holds("1")


def test_the_state_is_the_revision_and_a_digest_of_the_folder() -> None:
    # Pinned: clients keep these as ETags.
    assert replace(RECORD, revision=7, folder=None).state == "7"
    assert replace(RECORD, revision=7, folder=FolderPath("/a")).state == "7-6a50dc8584134c7d"
    folders = [None, *map(FolderPath, ("/a", "/A", "/a/b", "/b", "/\xe9"))]
    states = {replace(RECORD, revision=revision, folder=folder).state for revision in (1, 11) for folder in folders}
    assert len(states) == 2 * len(folders)


async def state(world: World, caller: Caller, document: Document) -> str:
    return (await world.get_document(caller, document.id, download=False)).record.document.state


async def test_every_change_of_what_is_shown_changes_the_state_and_nothing_else_does(
    world: World, caller: Caller
) -> None:
    document, other = await world.record(caller, folder="/a/b"), await world.record(caller, folder="/a")
    seen = [document.state]

    async def changes() -> bool:
        seen.append(await state(world, caller, document))
        return seen.count(seen[-1]) == 1

    for sent in ({"name": "b"}, {"description": "d"}, {"folder": "/x"}, {"tags": ["t"]}, {"mime_type": "text/csv"}):
        await world.patch_document(caller, document.id, sent)
        assert await changes(), sent
        await world.patch_document(caller, document.id, sent)
        assert not await changes(), sent
    link = await world.link(caller, document)
    assert await changes()
    await world.link(caller, document)
    assert not await changes()
    await world.unlink_document(caller, document.id, link.id, None)
    assert await changes()
    await world.move_folder(caller, {"from": "/x", "to": "/y/x"})
    assert await changes()
    await world.move_folder(caller, {"from": "/y", "to": "/z"})
    assert await changes()

    await world.move_folder(caller, {"from": "/a", "to": "/c"})
    await world.link(caller, other)
    await world.delete_document(caller, other.id, None)
    assert not await changes()


async def test_a_precondition_is_met_by_the_state_that_a_read_reports(world: World, caller: Caller) -> None:
    document = await world.record(caller, folder="/a")
    await world.move_folder(caller, {"from": "/a", "to": "/b"})
    known = await state(world, caller, document)
    changed = await world.changed(caller, document, {"name": "b"}, Precondition(frozenset({known})))
    await world.delete_document(caller, document.id, None, Precondition(frozenset({changed.state})))
    assert await world.documents.get(caller.workspace_id, document.id) is None
