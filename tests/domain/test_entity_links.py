"""Entity links: their rules, adding and removing them, and listing the documents of an entity."""

from dataclasses import replace

import pytest

from domain.entity_links import LINKS_MAX, EntityLink, EntityType
from domain.errors import Invalid
from domain.ids import parse_entity_link_id
from domain.pages import Page
from ports.outcomes import LinkAdded
from ports.queries import LinkedDocument
from tests.domain.samples import LINK
from tests.domain.world import World


async def test_a_link_is_added_as_it_was_sent_and_a_second_one_to_the_entity_is_the_first(world: World) -> None:
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


async def test_the_documents_of_an_entity_are_listed_in_pages_with_the_newest_link_first(world: World) -> None:
    caller = await world.caller()
    documents = [await world.record(caller) for _ in range(3)]
    linked = [
        LinkedDocument(replace(document, revision=2), await world.link(caller, document, role="witness"))
        for document in (documents[1], documents[2], documents[0])
    ]
    await world.link(caller, await world.record(caller), role="signatory")
    for number, expected in (("1", linked[:0:-1]), ("2", linked[:1]), ("3", [])):
        query = {"page": number, "per_page": "2", "role": "witness"}
        rows, page = await world.find_linked_documents(caller, EntityType.CONTACT, "c-1", query)
        assert rows.rows == tuple(expected)
        assert (rows.total, page) == (3, Page(int(number), 2))


@pytest.mark.parametrize("entity", ["M-2026/17", "12 O 345/26", "a/b/../c", "%2F", "\xe9"])
async def test_a_document_is_found_by_any_entity_id_as_it_was_sent(world: World, entity: str) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    link = await world.link(caller, document, entity_type="matter", entity_id=entity)
    assert link.entity_id == entity
    rows, _ = await world.find_linked_documents(caller, EntityType.MATTER, entity, {})
    assert rows.rows == (LinkedDocument(replace(document, revision=2), link),)


async def test_a_wrong_entity_id_and_every_wrong_parameter_are_named_together(world: World) -> None:
    caller = await world.caller()
    with pytest.raises(Invalid) as refused:
        await world.find_linked_documents(caller, EntityType.MATTER, "..", {"page": "0", "limit": "5"})
    assert set(refused.value.fields) == {"entity_id", "page", "limit"}
    # The entity of the path is no parameter.
    with pytest.raises(Invalid) as refused:
        await world.find_linked_documents(caller, EntityType.MATTER, "1", {"entity_id": "1"})
    assert set(refused.value.fields) == {"entity_id"}


async def test_a_document_has_at_most_1000_links_and_an_existing_one_is_still_returned(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    for number in range(LINKS_MAX):
        link = await world.link(caller, document, entity_id=str(number))
    with pytest.raises(Invalid) as refused:
        await world.link(caller, document, entity_id="one more")
    assert refused.value.fields == {"entity_id": "would be link 1,001 of this document; remove others first"}
    assert await world.link(caller, document, entity_id="999") == link
    await world.unlink_document(caller, document.id, link.id, None)
    assert (await world.link(caller, document, entity_id="one more")).entity_id == "one more"
