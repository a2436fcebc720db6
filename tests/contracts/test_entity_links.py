"""What `DocumentRepository.add_link`, `remove_link` and `linked` promise."""

from dataclasses import replace

from domain.entity_links import EntityType
from domain.ids import DocumentId, EntityLinkId
from ports.outcomes import Deleted, LinkAdded, LinkRemoved, NoSuchDocument, NoSuchLink
from ports.queries import DocumentWithLinks, LinkedDocument
from tests.contracts.records import Records, moved


async def test_an_entity_link_is_kept_as_it_was_sent_and_leaves_revision_and_time(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    records.clock.advance(microseconds=123456)
    sent = [
        records.link(document.id, entity_type, entity_id, role)
        for entity_type, entity_id, role in [
            *((entity_type, "1", None) for entity_type in EntityType),
            ("deal", "\N{GRINNING FACE}" * 64, "r" * 64),
            ("deal", " %_\\'\"C-1 ", "Käufer"),
        ]
    ]
    for link in sent:
        assert await records.add_link(home, link) == LinkAdded(link, is_new=True)
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, tuple(sent))


async def test_a_second_link_to_the_same_entity_reports_the_first_and_leaves_it_unchanged(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    first = await records.linked_to(home, document, role="buyer")
    records.clock.advance(hours=1)
    for role in ("buyer", "seller", None):
        second = records.link(document.id, role=role)
        assert await records.add_link(home, second) == LinkAdded(first, is_new=False)
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, (first,))


async def test_a_link_of_another_document_or_to_another_entity_is_new(records: Records) -> None:
    home = await records.workspace()
    document, other = await records.recorded(home), await records.recorded(home)
    await records.linked_to(home, document, entity_type="contact", entity_id="c-1")
    for link in (
        records.link(document.id, "company", "c-1"),
        records.link(document.id, "contact", "C-1"),
        records.link(document.id, "contact", "c-1 "),
        records.link(document.id, "contact", "c-11"),
        records.link(other.id, "contact", "c-1"),
    ):
        assert await records.add_link(home, link) == LinkAdded(link, is_new=True)


async def test_an_unknown_or_deleted_document_cannot_be_linked(records: Records) -> None:
    home = await records.workspace()
    deleted = await records.recorded(home)
    await records.delete(home, deleted.id)
    for document in (records.unknown_document(), deleted.id):
        assert await records.add_link(home, records.link(document)) == NoSuchDocument()
    assert await records.linked(home) == ()


async def test_a_removed_link_is_gone_and_the_document_stays_unchanged(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    gone, kept = [await records.linked_to(home, document, entity_id=entity_id) for entity_id in ("c-1", "c-2")]
    records.clock.advance(hours=1)
    assert await records.remove_link(home, document.id, gone.id) == LinkRemoved()
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, (kept,))
    assert await records.linked(home, entity_id="c-1") == ()
    assert await records.remove_link(home, document.id, gone.id) == NoSuchLink()


async def test_a_link_is_new_again_after_it_was_removed(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    first = await records.linked_to(home, document, role="buyer")
    await records.remove_link(home, document.id, first.id)
    second = records.link(document.id, role="seller")
    assert await records.add_link(home, second) == LinkAdded(second, is_new=True)
    assert await records.linked(home) == (LinkedDocument(document, second),)


async def test_a_link_is_removed_only_through_its_own_document(records: Records) -> None:
    home = await records.workspace()
    document, other = await records.recorded(home), await records.recorded(home)
    link = await records.linked_to(home, document)
    unknown_link = EntityLinkId("dlnk_" + records.new_id(records.clock()))
    attempts: list[tuple[DocumentId, EntityLinkId]] = [
        (other.id, link.id),
        (document.id, unknown_link),
        (records.unknown_document(), link.id),
    ]
    for document_id, link_id in attempts:
        assert await records.remove_link(home, document_id, link_id) == NoSuchLink()
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, (link,))


async def test_deleting_a_document_removes_only_its_own_links(records: Records) -> None:
    home = await records.workspace()
    documents = [await records.recorded(home) for _ in range(3)]
    first, second, third = [await records.linked_to(home, document) for document in documents]
    assert await records.delete(home, documents[1].id) == Deleted(documents[1].storage_path)
    assert [found.link for found in await records.linked(home)] == [third, first]
    assert await records.remove_link(home, documents[1].id, second.id) == NoSuchLink()


async def test_a_linked_document_is_listed_as_it_is_now(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a")
    link = await records.linked_to(home, document)
    await records.patch(home, document.id, name="b.pdf")
    await records.move(home, "/a", "/b")
    changed = moved(replace(document, name="b.pdf", revision=2), "/b")
    assert await records.linked(home) == (LinkedDocument(changed, link),)


async def test_the_newest_link_comes_first_whatever_the_age_of_its_document(records: Records) -> None:
    home = await records.workspace()
    documents = [await records.recorded(home) for _ in range(4)]
    rows = [
        LinkedDocument(documents[number], await records.linked_to(home, documents[number])) for number in (2, 0, 3, 1)
    ]
    assert await records.linked(home) == tuple(reversed(rows))


async def test_only_documents_linked_to_exactly_this_entity_are_listed(records: Records) -> None:
    home = await records.workspace()
    entities = [
        *((entity_type, "1") for entity_type in EntityType),
        *((EntityType.DEAL, entity_id) for entity_id in ("a", "A", "a ", "%", "_", "ä")),
    ]
    for entity_type, entity_id in entities:
        document = await records.recorded(home, name=f"{entity_type} {entity_id}")
        await records.linked_to(home, document, entity_type=entity_type, entity_id=entity_id)
    for entity_type, entity_id in entities:
        names = [found.document.name for found in await records.linked(home, entity_type, entity_id)]
        assert names == [f"{entity_type} {entity_id}"]
    assert await records.linked(home, "deal", "b") == ()


async def test_a_role_filter_compares_roles_exactly(records: Records) -> None:
    home = await records.workspace()
    for role in ("buyer", "Buyer", "seller", None, "b%"):
        await records.linked_to(home, await records.recorded(home, name=f"{role}"), role=role)

    async def names(role: str | None) -> list[str]:
        return [found.document.name for found in await records.linked(home, role=role)]

    assert await names(None) == ["b%", "None", "seller", "Buyer", "buyer"]
    for role in ("buyer", "Buyer", "seller", "b%"):
        assert await names(role) == [role]
    for role in ("buy", "None", "%", "BUYER"):
        assert await names(role) == []
