"""Walking through many documents: by numbered pages, and by the cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller
from domain.documents import Document
from domain.errors import Invalid
from domain.use_cases.find_documents import Listing
from tests.domain.world import World


async def several(world: World, caller: Caller, number: int, **changes: object) -> list[Document]:
    """Documents, the newest first."""
    return [await world.record(caller, b"", **changes) for _ in range(number)][::-1]


async def listing(world: World, caller: Caller, **query: object) -> Listing:
    return await world.find_documents(caller, query)


async def test_pages_are_numbered_from_1_and_have_25_documents(world: World) -> None:
    caller = await world.caller()
    documents = await several(world, caller, 26)
    first = await listing(world, caller)
    assert first.found.documents == tuple(documents[:25])
    assert (first.number, first.size, first.found.total, first.found.more) == (1, 25, 26, True)
    second = await listing(world, caller, page="2")
    assert second.found.documents == tuple(documents[25:])
    assert (second.number, second.size, second.found.total, second.found.more) == (2, 25, 26, False)


@given(st.integers(0, 7), st.integers(1, 9), st.integers(1, 9))
async def test_a_page_is_its_part_of_the_whole(there: int, number: int, size: int) -> None:
    world = World()
    caller = await world.caller()
    documents = await several(world, caller, there)
    page = await listing(world, caller, page=str(number), per_page=str(size))
    assert page.found.documents == tuple(documents[(number - 1) * size : number * size])
    assert (page.found.total, page.found.total_is_exact) == (there, True)
    assert page.found.more == (there > number * size)
    assert page.next_cursor == (page.found.documents[-1].id.removeprefix("doc_") if page.found.more else None)


@pytest.mark.parametrize("number", ["2", "1000000000"])
async def test_a_page_beyond_the_end_is_empty(world: World, number: str) -> None:
    caller = await world.caller()
    await several(world, caller, 3)
    beyond = await listing(world, caller, page=number, per_page="100")
    assert (beyond.found.documents, beyond.found.total, beyond.found.more) == ((), 3, False)
    assert (beyond.number, beyond.next_cursor) == (int(number), None)


async def test_an_empty_workspace_has_an_empty_first_page(world: World) -> None:
    page = await listing(world, await world.caller())
    assert (page.found.documents, page.found.total, page.found.total_is_exact) == ((), 0, True)
    assert page.next_cursor is None


@given(st.integers(0, 9), st.integers(1, 4))
async def test_the_cursor_leads_through_all_of_them_once(there: int, size: int) -> None:
    world = World()
    caller = await world.caller()
    wanted = await several(world, caller, there, tags=["t"])
    await several(world, caller, 2)
    page = await listing(world, caller, tag=["t"], per_page=str(size))
    seen, pages = list(page.found.documents), 1
    while page.next_cursor is not None:
        page = await listing(world, caller, tag=["t"], per_page=str(size), cursor=page.next_cursor)
        assert (page.number, page.size, page.found.total) == (None, size, there)
        seen, pages = seen + list(page.found.documents), pages + 1
        # As far as it has come; else it could go on for ever.
        assert seen == wanted[: len(seen)]
    assert seen == wanted
    # The last page is not an empty one.
    assert pages == max(1, -(-there // size))


@given(st.data())
async def test_who_comes_and_goes_meanwhile_neither_repeats_nor_hides_another(data: st.DataObject) -> None:
    world = World()
    caller = await world.caller()
    there = await several(world, caller, 9)
    staying, seen = {document.id for document in there}, []
    page = await listing(world, caller, per_page="2")
    while True:
        seen += [document.id for document in page.found.documents]
        assert len(seen) == len(set(seen))
        if page.next_cursor is None:
            break
        await several(world, caller, data.draw(st.integers(0, 2), label="come"))
        # Also the one that the cursor names.
        for id_ in data.draw(st.sets(st.sampled_from(sorted(staying)), max_size=2) if staying else st.just(set())):
            await world.delete_document(caller, id_, None)
            staying.discard(id_)
        page = await listing(world, caller, per_page="2", cursor=page.next_cursor)
    assert staying <= set(seen) <= {document.id for document in there}
    assert seen == sorted(seen, reverse=True)


async def test_a_cursor_may_name_a_document_that_never_was(world: World) -> None:
    caller = await world.caller()
    older = await several(world, caller, 2)
    between = world.new_id(world.clock())
    await several(world, caller, 2)
    page = await listing(world, caller, cursor=between)
    assert (page.found.documents, page.found.total) == (tuple(older), 4)
    assert (await listing(world, caller, cursor="0" * 26)).found.documents == ()
    assert len((await listing(world, caller, cursor="7" + "Z" * 25)).found.documents) == 4


async def test_the_cursor_of_another_workspace_shows_nothing_of_it(world: World) -> None:
    caller, stranger = await world.caller(), await world.caller()
    await several(world, stranger, 3)
    cursor = (await listing(world, stranger, per_page="1")).next_cursor
    page = await listing(world, caller, cursor=cursor)
    assert (page.found.documents, page.found.total) == ((), 0)


@pytest.mark.parametrize("page", ["2", "1000"])
async def test_a_cursor_and_a_page_cannot_be_combined(world: World, page: str) -> None:
    caller = await world.caller()
    with pytest.raises(Invalid) as refused:
        await listing(world, caller, page=page, cursor=world.new_id(world.clock()))
    assert set(refused.value.fields) == {"page"}


@pytest.mark.parametrize(
    ("matches", "total", "is_exact"),
    [(4, 4, True), (5, 5, True), (6, 5, False), (7, 5, False)],
)
async def test_with_a_filter_matches_are_counted_so_far_and_no_further(
    world: World, matches: int, total: int, is_exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.memory.queries.COUNT_MAX", 5)
    caller = await world.caller()
    wanted = await several(world, caller, matches, tags=["t"])
    await several(world, caller, 6)
    for query in ({"tag": ["t"]}, {"tag": ["t"], "cursor": "7" + "Z" * 25}):
        found = (await listing(world, caller, **query)).found
        assert (found.total, found.total_is_exact) == (total, is_exact)
        # What is not counted is found nevertheless.
        assert found.documents == tuple(wanted)
    found = (await listing(world, caller)).found
    assert (found.total, found.total_is_exact) == (matches + 6, True)


@pytest.mark.parametrize("no_filter", [{"folder": "/"}, {"folder": "/", "recursive": "1"}, {"search": ""}], ids=repr)
async def test_what_leaves_nothing_out_is_no_filter(
    world: World, no_filter: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.memory.queries.COUNT_MAX", 1)
    caller = await world.caller()
    await several(world, caller, 3)
    found = (await listing(world, caller, **no_filter)).found
    assert (found.total, found.total_is_exact) == (3, True)
