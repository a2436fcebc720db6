"""What the lists of a thing's documents, of folders and of tags promise, on every adapter."""

from domain.access import Workspace
from domain.entity_links import EntityType
from domain.ids import WorkspaceId
from domain.pages import PAGE_MAX, PER_PAGE_MAX, Page, Rows
from domain.paths import FolderPath
from ports.queries import FolderCount, LinkedDocument, TagCount
from tests.contracts.records import Records

ALL = Page(1, 100)


async def children(records: Records, home: Workspace, parent: str | None = None) -> list[tuple[str, int]]:
    found = await records.documents.folders(home.id, None if parent is None else FolderPath(parent), ALL)
    assert found.total == len(found.rows)
    return [(row.folder, row.documents) for row in found.rows]


async def test_the_last_linked_comes_first_whichever_document_is_newer(records: Records) -> None:
    home = await records.workspace()
    documents = [await records.recorded(home) for _ in range(4)]
    order = (2, 0, 3, 1)
    links = [records.link(documents[number].id) for number in order]
    for link in links:
        await records.add_link(home, link)
    rows = [LinkedDocument(documents[number], link) for number, link in zip(order, links, strict=True)]
    assert await records.linked(home) == tuple(reversed(rows))


async def test_only_the_documents_of_that_very_thing_are_listed(records: Records) -> None:
    home = await records.workspace()
    things = [
        *((kind, "1") for kind in EntityType),
        *((EntityType.DEAL, id_) for id_ in ("a", "A", "a ", "%", "_", "ä")),
    ]
    for kind, id_ in things:
        document = await records.recorded(home, name=f"{kind} {id_}")
        await records.add_link(home, records.link(document.id, kind, id_))
    for kind, id_ in things:
        assert [found.document.name for found in await records.linked(home, kind, id_)] == [f"{kind} {id_}"]
    assert await records.linked(home, "deal", "b") == ()


async def test_a_role_is_compared_as_it_is(records: Records) -> None:
    home = await records.workspace()
    for role in ("buyer", "Buyer", "seller", None, "b%"):
        document = await records.recorded(home, name=f"{role}")
        await records.add_link(home, records.link(document.id, role=role))

    async def names(role: str | None) -> list[str]:
        return [found.document.name for found in await records.linked(home, role=role)]

    assert await names(None) == ["b%", "None", "seller", "Buyer", "buyer"]
    for role in ("buyer", "Buyer", "seller", "b%"):
        assert await names(role) == [role]
    for role in ("buy", "None", "%", "BUYER"):
        assert await names(role) == []


async def test_pages_tile_each_list_and_tell_its_total(records: Records) -> None:
    home = await records.workspace()
    rows = []
    for number in range(5):
        document = await records.recorded(home, folder=f"/a/{number}", tags=(f"{number}",))
        link = records.link(document.id, role="buyer")
        await records.add_link(home, link)
        rows.append(LinkedDocument(document, link))
    linked = tuple(reversed(rows))
    folders = tuple(FolderCount(FolderPath(f"/a/{number}"), 1) for number in range(5))
    tags = tuple(TagCount(f"{number}", 1) for number in range(5))
    for number, begin, end in ((1, 0, 2), (2, 2, 4), (3, 4, 5), (4, 5, 5)):
        page = Page(number, 2)
        for role in (None, "buyer"):
            found = await records.documents.linked(home.id, EntityType.CONTACT, "c-1", role, page)
            assert found == Rows(linked[begin:end], 5)
        assert await records.documents.folders(home.id, FolderPath("/a"), page) == Rows(folders[begin:end], 5)
        assert await records.documents.tags(home.id, page) == Rows(tags[begin:end], 5)
    farthest = Page(PAGE_MAX, PER_PAGE_MAX)
    assert await records.documents.linked(home.id, EntityType.CONTACT, "c-1", None, farthest) == Rows((), 5)
    assert await records.documents.folders(home.id, FolderPath("/a"), farthest) == Rows((), 5)
    assert await records.documents.tags(home.id, farthest) == Rows((), 5)


async def test_only_the_folders_one_level_below_are_listed_with_all_that_is_in_them(records: Records) -> None:
    home = await records.workspace()
    for folder in (None, "/a", "/a", "/a/b", "/a/b/c", "/a/b/c", "/ab/c", "/a!/c", "/a_/c", "/A/c"):
        await records.recorded(home, folder=folder)
    assert await children(records, home) == [("/A", 1), ("/a", 5), ("/a!", 1), ("/a_", 1), ("/ab", 1)]
    assert await children(records, home, "/a") == [("/a/b", 3)]
    assert await children(records, home, "/a/b") == [("/a/b/c", 2)]
    assert await children(records, home, "/a/b/c") == []
    assert await children(records, home, "/a_") == [("/a_/c", 1)]
    for missing in ("/b", "/a/c", "/%", "/a%", "/__"):
        assert await children(records, home, missing) == []


async def test_folders_are_in_the_order_of_their_code_points(records: Records) -> None:
    home = await records.workspace()
    # The last two are the other way round where strings are UTF-16.
    wanted = ["!", "-", "0", "B", "B!", "B0", "Z", "_", "a", "b", "~", "ä", "中", "ﬁ", "\N{GRINNING FACE}"]
    for name in reversed(wanted):
        await records.recorded(home, folder=f"/x/{name}", tags=(name,))
    assert await children(records, home, "/x") == [(f"/x/{name}", 1) for name in wanted]
    assert [*await records.tags(home)] == wanted


async def test_long_folders_are_told_apart_and_counted(records: Records) -> None:
    home = await records.workspace()
    long = "/" + "\N{GRINNING FACE}" * 255
    deep = long * 19
    for folder in (f"{deep}/{'n' * 254}a", f"{deep}/{'n' * 254}b", f"{deep}/{'n' * 254}b", f"{long * 18}/x"):
        await records.recorded(home, folder=folder)
    assert await children(records, home) == [(long, 4)]
    assert await children(records, home, long * 18) == [(f"{long * 18}/x", 1), (deep, 3)]
    assert await children(records, home, deep) == [(f"{deep}/{'n' * 254}a", 1), (f"{deep}/{'n' * 254}b", 2)]
    assert await children(records, home, f"{deep}/{'n' * 254}b") == []


async def test_the_most_frequent_tag_comes_first(records: Records) -> None:
    home = await records.workspace()
    documents = [
        await records.recorded(home, tags=tags) for tags in (("b", "a"), ("b", "B"), ("c", "b", "a"), (), ("ä", "c"))
    ]
    assert [*(await records.tags(home)).items()] == [("b", 3), ("a", 2), ("c", 2), ("B", 1), ("ä", 1)]
    await records.patch(home, documents[1].id, tags=("a", "c"))
    assert [*(await records.tags(home)).items()] == [("a", 3), ("c", 3), ("b", 2), ("ä", 1)]
    await records.delete(home, documents[4].id)
    assert [*(await records.tags(home)).items()] == [("a", 3), ("b", 2), ("c", 2)]
    for document in documents[:3]:
        await records.patch(home, document.id, tags=())
    assert await records.tags(home) == {}


async def test_lists_are_empty_where_nothing_is(records: Records) -> None:
    home = await records.workspace()
    for workspace in (home.id, WorkspaceId("ws_" + records.new_id(records.clock()))):
        assert await records.documents.linked(workspace, EntityType.DEAL, "1", None, ALL) == Rows((), 0)
        assert await records.documents.folders(workspace, None, ALL) == Rows((), 0)
        assert await records.documents.folders(workspace, FolderPath("/a"), ALL) == Rows((), 0)
        assert await records.documents.tags(workspace, ALL) == Rows((), 0)
