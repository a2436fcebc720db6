"""What linking and unlinking promise, on every adapter."""

from dataclasses import replace

from domain.entity_links import EntityLink, EntityType
from domain.ids import DocumentId, EntityLinkId
from ports.outcomes import Deleted, LinkAdded, LinkRemoved, NoSuchDocument, NoSuchLink
from ports.queries import DocumentWithLinks, LinkedDocument
from tests.contracts.records import Records, moved


async def test_a_new_link_is_kept_as_it_was_sent(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    records.clock.advance(microseconds=123456)
    sent = [
        records.link(document.id, kind, entity_id, role)
        for kind, entity_id, role in [
            *((kind, "1", None) for kind in EntityType),
            ("deal", "\N{GRINNING FACE}" * 64, "r" * 64),
            ("deal", " %_\\'\"C-1 ", "Käufer"),
        ]
    ]
    for link in sent:
        assert await records.add_link(home, link) == LinkAdded(link, is_new=True)
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, tuple(sent))


async def test_a_link_that_is_there_is_answered_and_stays_as_it_is(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    first = records.link(document.id, role="buyer")
    await records.add_link(home, first)
    records.clock.advance(hours=1)
    for role in ("buyer", "seller", None):
        again = records.link(document.id, role=role)
        assert await records.add_link(home, again) == LinkAdded(first, is_new=False)
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, (first,))


async def test_what_differs_in_document_kind_or_id_is_another_link(records: Records) -> None:
    home = await records.workspace()
    document, other = await records.recorded(home), await records.recorded(home)
    first = records.link(document.id, "contact", "c-1")
    await records.add_link(home, first)
    for link in (
        records.link(document.id, "company", "c-1"),
        records.link(document.id, "contact", "C-1"),
        records.link(document.id, "contact", "c-1 "),
        records.link(document.id, "contact", "c-11"),
        records.link(other.id, "contact", "c-1"),
    ):
        assert await records.add_link(home, link) == LinkAdded(link, is_new=True)


async def test_a_link_changes_neither_revision_nor_time(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    records.clock.advance(hours=1)
    link = records.link(document.id)
    await records.add_link(home, link)
    assert await records.now(home, document) == document
    await records.remove_link(home, document.id, link.id)
    assert await records.now(home, document) == document


async def test_an_unknown_document_is_not_linked(records: Records) -> None:
    home = await records.workspace()
    unknown = DocumentId("doc_" + records.new_id(records.clock()))
    assert await records.add_link(home, records.link(unknown)) == NoSuchDocument()
    document = await records.recorded(home)
    await records.delete(home, document.id)
    assert await records.add_link(home, records.link(document.id)) == NoSuchDocument()
    assert await records.linked(home) == ()


async def test_a_removed_link_is_gone_and_the_document_stays(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    gone, kept = records.link(document.id, entity_id="c-1"), records.link(document.id, entity_id="c-2")
    for link in (gone, kept):
        await records.add_link(home, link)
    assert await records.remove_link(home, document.id, gone.id) == LinkRemoved()
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, (kept,))
    assert await records.linked(home, entity_id="c-1") == ()
    assert await records.remove_link(home, document.id, gone.id) == NoSuchLink()


async def test_a_link_is_new_again_once_it_was_removed(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    first, second = records.link(document.id, role="buyer"), records.link(document.id, role="seller")
    await records.add_link(home, first)
    await records.remove_link(home, document.id, first.id)
    assert await records.add_link(home, second) == LinkAdded(second, is_new=True)
    assert await records.linked(home) == (LinkedDocument(document, second),)


async def test_only_a_link_of_that_very_document_is_removed(records: Records) -> None:
    home = await records.workspace()
    document, other = await records.recorded(home), await records.recorded(home)
    link = records.link(document.id)
    await records.add_link(home, link)
    unknown = EntityLinkId("dlnk_" + records.new_id(records.clock()))
    nobody = DocumentId("doc_" + records.new_id(records.clock()))
    for where, which in ((other.id, link.id), (document.id, unknown), (nobody, link.id)):
        assert await records.remove_link(home, where, which) == NoSuchLink()
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, (link,))


async def test_a_thing_keeps_the_links_of_the_documents_that_stay(records: Records) -> None:
    home = await records.workspace()
    documents = [await records.recorded(home) for _ in range(3)]
    links: list[EntityLink] = []
    for document in documents:
        links.append(records.link(document.id))
        await records.add_link(home, links[-1])
    assert await records.delete(home, documents[1].id) == Deleted(documents[1].storage_path)
    assert [found.link for found in await records.linked(home)] == [links[2], links[0]]
    assert await records.remove_link(home, documents[1].id, links[1].id) == NoSuchLink()


async def test_a_linked_document_is_told_as_it_is_now(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a")
    link = records.link(document.id)
    await records.add_link(home, link)
    await records.patch(home, document.id, name="b.pdf")
    await records.move(home, "/a", "/b")
    changed = moved(replace(document, name="b.pdf", revision=2), "/b")
    assert await records.linked(home) == (LinkedDocument(changed, link),)
