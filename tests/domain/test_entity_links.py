"""Entity links: their rules, adding and removing them, and listing the documents of an entity."""

import pytest

from domain.entity_links import EntityLink, EntityType
from domain.ids import parse_entity_link_id
from domain.members import Members
from domain.pages import Page
from ports.outcomes import LinkAdded
from ports.queries import DocumentWithLinks, LinkedDocument
from tests.domain.samples import LINK
from tests.domain.world import World


async def test_a_link_is_added_as_it_was_sent(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    linked = await world.link_document(caller, document.id, LINK, None)
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


@pytest.mark.parametrize("absent", [{}, {"role": None}], ids=["absent", "null"])
async def test_a_role_is_optional(world: World, absent: Members) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    sent = {"entity_type": "matter", "entity_id": "1", **absent}
    assert (await world.link_document(caller, document.id, sent, None)).link.role is None


async def test_a_document_is_read_with_its_links_oldest_first(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    world.clock.advance(days=1)
    links = tuple([await world.link(caller, document, entity_id=id_) for id_ in ("c", "a", "b")])
    found = await world.get_document(caller, document.id, download=False)
    assert found.record == DocumentWithLinks(document, links)
    await world.unlink_document(caller, document.id, links[1].id, None)
    found = await world.get_document(caller, document.id, download=False)
    assert found.record == DocumentWithLinks(document, (links[0], links[2]))


@pytest.mark.parametrize("role", ["signatory", "witness", None], ids=repr)
async def test_a_second_link_to_the_same_entity_returns_the_first_one_unchanged(world: World, role: str | None) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    first = await world.link_document(caller, document.id, LINK, None)
    world.clock.advance(seconds=1)
    again = await world.link_document(caller, document.id, {**LINK, "role": role}, None)
    assert again == LinkAdded(first.link, is_new=False)
    found = await world.documents.get(caller.workspace_id, document.id)
    assert found == DocumentWithLinks(document, (first.link,))


async def test_the_documents_of_an_entity_are_listed_in_pages_with_the_newest_link_first(world: World) -> None:
    caller = await world.caller()
    documents = [await world.record(caller) for _ in range(3)]
    linked = [
        LinkedDocument(document, await world.link(caller, document, role="witness"))
        for document in (documents[1], documents[2], documents[0])
    ]
    await world.link(caller, await world.record(caller), role="signatory")
    for number, expected in (("1", linked[:0:-1]), ("2", linked[:1]), ("3", [])):
        query = {"page": number, "per_page": "2", "role": "witness"}
        rows, page = await world.find_linked_documents(caller, EntityType.CONTACT, "c-1", query)
        assert rows.rows == tuple(expected)
        assert (rows.total, page) == (3, Page(int(number), 2))
