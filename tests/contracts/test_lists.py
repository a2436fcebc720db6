"""The order and the pages of the lists of linked documents, folders and tags."""

from domain.entity_links import EntityType
from domain.pages import PAGE_MAX, PER_PAGE_MAX, Page, Rows
from domain.paths import FolderPath
from ports.queries import FolderCount, LinkedDocument, TagCount
from tests.contracts.records import Records, revised


async def test_pages_cover_each_list_without_overlap_and_report_its_total(records: Records) -> None:
    home = await records.workspace()
    rows = []
    for number in range(5):
        document = await records.recorded(home, folder=f"/a/{number}", tags=(f"{number}",))
        link = await records.linked_to(home, document, role="buyer")
        rows.append(LinkedDocument(revised(document), link))
    linked = tuple(reversed(rows))
    folders = tuple(FolderCount(FolderPath(f"/a/{number}"), 1) for number in range(5))
    tags = tuple(TagCount(f"{number}", 1) for number in range(5))
    for page in (*(Page(number, 2) for number in range(1, 5)), Page(PAGE_MAX, PER_PAGE_MAX)):
        on_page = slice((page.number - 1) * page.size, page.number * page.size)
        for role in (None, "buyer"):
            found = await records.documents.linked(home.id, EntityType.CONTACT, "c-1", role, page)
            assert found == Rows(linked[on_page], 5)
        assert await records.documents.folders(home.id, FolderPath("/a"), page) == Rows(folders[on_page], 5)
        assert await records.documents.tags(home.id, page) == Rows(tags[on_page], 5)


async def test_folders_and_equally_frequent_tags_are_in_the_order_of_their_code_points(records: Records) -> None:
    home = await records.workspace()
    # UTF-16 would order the last two the other way round.
    wanted = ["!", "-", "0", "B", "B!", "B0", "Z", "_", "a", "b", "~", "ä", "中", "ﬁ", "\N{GRINNING FACE}"]
    for name in reversed(wanted):
        await records.recorded(home, folder=f"/x/{name}", tags=(name,))
    assert [*await records.children(home, "/x")] == [f"/x/{name}" for name in wanted]
    assert [*await records.tags(home)] == wanted


async def test_the_most_frequent_tag_comes_first(records: Records) -> None:
    home = await records.workspace()
    documents = [
        await records.recorded(home, tags=tags) for tags in (("b", "a"), ("b", "B"), ("c", "b", "a"), (), ("ä", "c"))
    ]
    assert [*(await records.tags(home)).items()] == [("b", 3), ("a", 2), ("c", 2), ("B", 1), ("ä", 1)]
    await records.patch(home, documents[1].id, tags=("a", "c"))
    await records.delete(home, documents[4].id)
    assert [*(await records.tags(home)).items()] == [("a", 3), ("b", 2), ("c", 2)]
