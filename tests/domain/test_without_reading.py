"""A caller who may write documents but not read them gets back no more than it sent."""

from dataclasses import replace

import pytest

from domain.access import Caller, Permission
from domain.documents import Changes
from domain.entity_links import EntityType
from domain.errors import Invalid
from domain.paths import FolderPath
from domain.use_cases.change_document import OwnChanges
from domain.use_cases.link_document import ExistingLink
from domain.use_cases.move_folder import Moved
from ports.outcomes import LinkAdded
from tests.domain.samples import KEY, LINK
from tests.domain.world import World, members


@pytest.fixture
def writer(caller: Caller) -> Caller:
    """Another caller of the workspace, with write:documents alone."""
    return replace(caller, permissions=frozenset({Permission.WRITE_DOCUMENTS}))


async def test_a_patch_shows_a_write_only_caller_what_it_sent(world: World, caller: Caller, writer: Caller) -> None:
    document = await world.record(caller, description="secret", folder="/secret", tags=["secret"])
    sent = {"name": "e\u0301", "tags": ["x ", "x"], "description": None}
    changed = replace(document, revision=2).state
    for each, key, state, replayed in (
        *(({}, None, document.state, False), (sent, KEY, changed, False), (sent, KEY, changed, True)),
    ):
        shown = await world.patch_document(writer, document.id, each, key)
        assert shown == OwnChanges(id=document.id, state=state, changes=Changes.read(each), replayed=replayed)
        assert "secret" not in repr(shown)


async def test_a_write_only_caller_gets_an_entity_link_without_role(
    world: World, caller: Caller, writer: Caller
) -> None:
    document = await world.record(caller)
    first = await world.link(caller, document, **LINK)
    for replayed in (False, True):
        assert await world.link_document(writer, document.id, {**LINK, "role": "guess"}, KEY) == ExistingLink(
            id=first.id,
            document_id=document.id,
            entity_type=EntityType.CONTACT,
            entity_id="c-1",
            replayed=replayed,
        )
    new = await world.link_document(writer, document.id, {**LINK, "entity_id": "c-2"}, None)
    assert isinstance(new, LinkAdded)
    assert (new.is_new, new.link.role) == (True, LINK["role"])


async def test_a_write_only_caller_gets_no_count_of_a_moved_folder(
    world: World, caller: Caller, writer: Caller
) -> None:
    await world.record(caller, folder="/a")
    assert await world.move_folder(writer, {"from": "/a", "to": "/b"}, None) == Moved(FolderPath("/b"), None)


async def test_a_write_only_caller_does_not_learn_a_stored_size(world: World, caller: Caller, writer: Caller) -> None:
    document = await world.record(caller, b"12345")
    with pytest.raises(Invalid) as refused:
        await world.create_document(writer, members(document.storage_path, size_bytes=4), None)
    assert refused.value.fields == {"size_bytes": "must be the size of the stored object or be left out"}
