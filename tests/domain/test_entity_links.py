"""Entity links: their rules, adding and removing them, and listing the documents of an entity."""

from domain.entity_links import EntityLink, EntityType
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
    sent = {"entity_type": "matter", "entity_id": "1"}
    assert (await world.link_document(caller, document.id, sent, None)).link.role is None


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
