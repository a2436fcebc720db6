"""The guarantees of `DocumentRepository.add_link`, `remove_link` and `linked`."""

from dataclasses import replace

from domain.entity_links import LINKS_MAX, EntityType
from domain.ids import EntityLinkId
from ports.outcomes import LinkAdded, LinkRemoved, NoSuchLink, TooManyLinks
from ports.queries import DocumentWithLinks, LinkedDocument
from tests.contracts.races import at_once
from tests.contracts.records import Records, moved, new_key, revised


async def test_the_first_link_of_a_document_to_an_entity_is_new_and_kept_as_it_was_sent(records: Records) -> None:
    home = await records.workspace()
    document, other = await records.recorded(home), await records.recorded(home)
    records.clock.advance(microseconds=123456)
    sent = [
        records.link(document.id, entity_type, entity_id, role)
        for entity_type, entity_id, role in [
            ("contact", "c-1", "buyer"),
            *((entity_type, "1", None) for entity_type in EntityType),
            ("deal", "\N{GRINNING FACE}" * 64, "r" * 64),
            ("deal", " %_\\'\"C-1 ", "Käufer"),
            *(("contact", entity_id, None) for entity_id in ("C-1", "c-1 ", "c-11")),
        ]
    ]
    for link in (*sent, records.link(other.id, "contact", "c-1")):
        assert await records.add_link(home, link) == LinkAdded(link, is_new=True)
    records.clock.advance(hours=1)
    for role in ("buyer", "seller", None):
        second = records.link(document.id, "contact", "c-1", role)
        assert await records.add_link(home, second) == LinkAdded(sent[0], is_new=False)
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(
        revised(document, len(sent)), tuple(link.entity for link in sent)
    )


async def test_a_link_is_removed_only_through_its_own_document_and_is_then_new_again(records: Records) -> None:
    home = await records.workspace()
    document, other = await records.recorded(home), await records.recorded(home)
    link, kept = [await records.linked_to(home, document, entity_id=entity_id) for entity_id in ("c-1", "c-2")]
    unknown_link = EntityLinkId("dlnk_" + records.new_id(records.clock()))
    for document_id, link_id in (
        (other.id, link.id),
        (document.id, unknown_link),
        (records.unknown_document(), link.id),
    ):
        assert await records.remove_link(home, document_id, link_id) == NoSuchLink()
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(
        revised(document, 2), (link.entity, kept.entity)
    )
    records.clock.advance(hours=1)
    assert await records.remove_link(home, document.id, link.id) == LinkRemoved()
    assert await records.remove_link(home, document.id, link.id) == NoSuchLink()
    assert await records.linked(home) == ()
    again = records.link(document.id, role="seller")
    assert await records.add_link(home, again) == LinkAdded(again, is_new=True)
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(
        revised(document, 4), (kept.entity, again.entity)
    )


async def test_linked_documents_are_listed_as_they_are_now_the_newest_link_first(records: Records) -> None:
    home = await records.workspace()
    documents = [await records.recorded(home, folder="/a") for _ in range(4)]
    links = {number: await records.linked_to(home, documents[number]) for number in (2, 0, 3, 1)}
    await records.patch(home, documents[0].id, name="b.pdf")
    documents = [revised(document) for document in documents]
    documents[0] = replace(revised(documents[0]), name="b.pdf")
    await records.move(home, "/a", "/b")
    wanted = [LinkedDocument(moved(documents[number], "/b"), links[number]) for number in (1, 3, 0, 2)]
    assert await records.linked(home) == tuple(wanted)


async def test_only_documents_linked_to_exactly_this_entity_in_this_role_are_listed(records: Records) -> None:
    home = await records.workspace()
    entities = [
        *((entity_type, "1") for entity_type in EntityType),
        *((EntityType.DEAL, entity_id) for entity_id in ("a", "A", "a ", "%", "_", "ä")),
    ]
    roles = ("buyer", "Buyer", "seller", None, "b%")
    for entity_type, entity_id in entities:
        document = await records.recorded(home, name=f"{entity_type} {entity_id}")
        await records.linked_to(home, document, entity_type=entity_type, entity_id=entity_id)
    for role in roles:
        await records.linked_to(home, await records.recorded(home, name=f"{role}"), role=role)

    async def names(entity_type: str = "contact", entity_id: str = "c-1", role: str | None = None) -> list[str]:
        return [found.document.name for found in await records.linked(home, entity_type, entity_id, role)]

    for entity_type, entity_id in entities:
        assert await names(entity_type, entity_id) == [f"{entity_type} {entity_id}"]
    assert await names("deal", "b") == []
    for role in roles:
        assert await names(role=role) == ([role] if role else ["b%", "None", "seller", "Buyer", "buyer"])
    for role in ("buy", "None", "%", "BUYER"):
        assert await names(role=role) == []


async def test_a_document_has_at_most_1000_links(records: Records) -> None:
    home = await records.workspace()
    document, other = await records.recorded(home), await records.recorded(home)
    first, *rest = [records.link(document.id, entity_id=f"{number}") for number in range(LINKS_MAX + 5)]
    assert await records.add_link(home, first) == LinkAdded(first, is_new=True)
    outcomes = await at_once(records.add_link(home, link) for link in rest)
    links = [first, *(outcome.link for outcome in outcomes if isinstance(outcome, LinkAdded))]
    assert (len(links), outcomes.count(TooManyLinks())) == (LINKS_MAX, 5)
    in_order = sorted(links, key=lambda link: link.id)
    full = DocumentWithLinks(revised(document, LINKS_MAX), tuple(link.entity for link in in_order))

    one_more = records.link(document.id, "deal", "0")
    assert await records.add_link(home, one_more, key := new_key()) == TooManyLinks()
    again = records.link(document.id, entity_id=first.entity_id, role="seller")
    assert await records.add_link(home, again) == LinkAdded(first, is_new=False)
    assert await records.documents.get(home.id, document.id) == full
    elsewhere = records.link(other.id, "deal", "0")
    assert await records.add_link(home, elsewhere) == LinkAdded(elsewhere, is_new=True)
    await records.remove_link(home, document.id, first.id)
    # The refusal left the idempotency key unused.
    assert await records.add_link(home, one_more, key) == LinkAdded(one_more, is_new=True)
