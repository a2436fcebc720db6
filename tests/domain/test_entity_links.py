"""Entity links: adding and removing them, and listing the documents of an entity."""

import pytest

from domain.access import Caller
from domain.entity_links import EntityType
from domain.errors import Invalid
from tests.domain.world import World


async def test_a_wrong_entity_id_and_every_wrong_parameter_are_named_together(world: World, caller: Caller) -> None:
    with pytest.raises(Invalid) as refused:
        await world.find_linked_documents(caller, EntityType.MATTER, "..", {"page": "0", "limit": "5"})
    assert set(refused.value.fields) == {"entity_id", "page", "limit"}
    # The entity of the path is no parameter.
    with pytest.raises(Invalid) as refused:
        await world.find_linked_documents(caller, EntityType.MATTER, "1", {"entity_id": "1"})
    assert set(refused.value.fields) == {"entity_id"}


async def test_a_link_above_the_limit_is_refused(world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.memory.changes.LINKS_MAX", 0)
    document = await world.record(caller)
    with pytest.raises(Invalid) as refused:
        await world.link(caller, document)
    assert refused.value.fields == {"entity_id": "would be link 1,001 of this document; remove others first"}
