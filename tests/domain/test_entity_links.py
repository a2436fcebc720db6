"""Entity links: adding and removing them, and listing the documents of an entity."""

from dataclasses import replace

import pytest

from domain.access import Caller
from domain.entity_links import EntityLink, EntityType
from domain.errors import Invalid
from domain.ids import parse_entity_link_id
from domain.pages import Page, Rows
from ports.outcomes import LinkAdded
from ports.queries import LinkedDocument
from tests.domain.samples import LINK
from tests.domain.world import World


async def test_a_second_link_to_the_same_entity_returns_the_first(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    linked = await world.link_document(caller, document.id, LINK, None)
    assert isinstance(linked, LinkAdded)
    assert parse_entity_link_id(linked.link.id)
    assert linked == LinkAdded(
        EntityLink(
            id=linked.link.id,
            document_id=document.id,
            entity_type=EntityType.CONTACT,
            entity_id="c-1",
            role="signatory",
            created_at=world.clock(),
        ),
        is_new=True,
    )
    world.clock.advance(seconds=1)
    for role in ("witness", None):
        again = await world.link_document(caller, document.id, {**LINK, "role": role}, None)
        assert again == LinkAdded(linked.link, is_new=False)
    assert (await world.link(caller, document, entity_type="matter", entity_id="1")).role is None


async def test_documents_of_an_entity_are_found_by_its_exact_id_role_and_page(world: World) -> None:
    caller = await world.caller()
    documents = [await world.record(caller) for _ in range(3)]
    entity = {"entity_type": "matter", "entity_id": "12 O 345/26"}
    links = [await world.link(caller, document, **entity, role="witness") for document in documents]
    await world.link(caller, await world.record(caller), **entity, role="signatory")
    query = {"page": "2", "per_page": "2", "role": "witness"}
    rows, page = await world.find_linked_documents(caller, EntityType.MATTER, "12 O 345/26", query)
    assert rows == Rows((LinkedDocument(replace(documents[0], revision=2), links[0]),), 3)
    assert page == Page(2, 2)


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
