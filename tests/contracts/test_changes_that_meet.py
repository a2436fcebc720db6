"""Two changes of one thing that meet are done in one order or the other, on every adapter.

Of each pair, one goes to either process, where there are two.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager

from domain.access import Workspace
from ports.outcomes import (
    Deleted,
    FolderMoved,
    FolderTaken,
    LinkAdded,
    LinkRemoved,
    NoSuchDocument,
    NoSuchFolder,
    NoSuchLink,
    OverQuota,
    Patched,
    RevisionMismatch,
)
from ports.queries import Usage
from tests.contracts.records import Records, moved
from tests.contracts.test_changes_at_once import at_once

PAIRS = 20
CROWD = 8
QUOTA = 10**6

Pair = tuple[Awaitable[object], Awaitable[object]]


@asynccontextmanager
async def crowded(records: Records, home: Workspace) -> AsyncIterator[None]:
    """The workspace while others ask for something all the time, which they are refused."""
    is_over = False

    async def ask(number: int) -> None:
        while not is_over:
            huge = records.document(home, path=f"documents/huge/{number}", size_bytes=2**63 - 1)
            assert isinstance(await records.documents.create(huge, records.intent(home)), OverQuota)
            await asyncio.sleep(0)

    crowd = [asyncio.create_task(ask(number)) for number in range(CROWD)]
    try:
        yield
    finally:
        is_over = True
        await asyncio.gather(*crowd)


async def meet(records: Records, home: Workspace, pairs: Iterable[Pair]) -> list[tuple[object, object]]:
    """What comes of each pair, in a workspace that is crowded: both have to wait for their turn, and meet there."""
    outcomes = []
    async with crowded(records, home):
        for pair in pairs:
            first, second = await at_once(pair)
            outcomes.append((first, second))
    return outcomes


def kinds(pair: tuple[object, object]) -> set[type]:
    return set(map(type, pair))


async def test_of_two_changes_of_one_state_one_is_made(records: Records) -> None:
    home = await records.workspace(QUOTA)
    documents = [await records.recorded(home) for _ in range(PAIRS)]
    one = frozenset({1})
    pairs = await meet(
        records,
        home,
        (
            (records.patch(home, item.id, one, name="b"), records.patch(home, item.id, one, folder="/a"))
            for item in documents
        ),
    )
    assert all(kinds(pair) == {Patched, RevisionMismatch} for pair in pairs)
    assert {found.revision for found in await records.all(home)} == {2}


async def test_two_changes_of_different_members_are_both_made(records: Records) -> None:
    home = await records.workspace(QUOTA)
    documents = [await records.recorded(home) for _ in range(PAIRS)]
    await meet(
        records,
        home,
        (
            (records.patch(home, item.id, name="b"), records.patch(home, item.id, description=None, tags=()))
            for item in documents
        ),
    )
    for found in await records.all(home):
        assert (found.name, found.description, found.tags, found.revision) == ("b", None, (), 3)


async def test_of_two_deletes_one_deletes_and_gives_the_size_back(records: Records) -> None:
    home = await records.workspace(QUOTA)
    documents = [await records.recorded(home) for _ in range(PAIRS)]
    kept = await records.recorded(home, size_bytes=7)
    pairs = await meet(
        records, home, ((records.delete(home, item.id), records.delete(home, item.id)) for item in documents)
    )
    assert all(kinds(pair) == {Deleted, NoSuchDocument} for pair in pairs)
    assert await records.documents.usage(home.id) == Usage(7, QUOTA, 1)
    assert await records.all(home) == (kept,)


async def test_of_two_links_to_one_thing_one_is_new_and_both_are_told_it(records: Records) -> None:
    home = await records.workspace(QUOTA)
    documents = [await records.recorded(home) for _ in range(PAIRS)]
    pairs = await meet(
        records,
        home,
        (
            (
                records.add_link(home, records.link(item.id, role="buyer")),
                records.add_link(home, records.link(item.id, role="seller")),
            )
            for item in documents
        ),
    )
    for first, second in pairs:
        assert isinstance(first, LinkAdded)
        assert isinstance(second, LinkAdded)
        assert first.link == second.link
        assert {first.is_new, second.is_new} == {True, False}
    assert len(await records.linked(home)) == PAIRS


async def test_of_two_that_remove_one_link_one_does(records: Records) -> None:
    home = await records.workspace(QUOTA)
    document = await records.recorded(home)
    links = [records.link(document.id, entity_id=f"{number}") for number in range(PAIRS)]
    for link in links:
        await records.add_link(home, link)
    pairs = await meet(
        records,
        home,
        (
            (records.remove_link(home, document.id, link.id), records.remove_link(home, document.id, link.id))
            for link in links
        ),
    )
    assert all(kinds(pair) == {LinkRemoved, NoSuchLink} for pair in pairs)


async def test_no_link_outlives_its_document(records: Records) -> None:
    home = await records.workspace(QUOTA)
    documents = [await records.recorded(home) for _ in range(PAIRS)]
    pairs: list[Pair] = [
        (records.delete(home, item.id), records.add_link(home, records.link(item.id))) for item in documents
    ]
    for first, second in await meet(records, home, (pair if n % 2 else pair[::-1] for n, pair in enumerate(pairs))):
        assert Deleted in kinds((first, second))
        assert kinds((first, second)) < {Deleted, LinkAdded, NoSuchDocument}
    assert await records.linked(home) == ()


async def test_a_deleted_document_is_not_changed_and_a_changed_one_is_deleted(records: Records) -> None:
    home = await records.workspace(QUOTA)
    documents = [await records.recorded(home) for _ in range(PAIRS)]
    pairs: list[Pair] = [
        (records.delete(home, item.id), records.patch(home, item.id, folder="/a")) for item in documents
    ]
    for first, second in await meet(records, home, (pair if n % 2 else pair[::-1] for n, pair in enumerate(pairs))):
        assert Deleted in kinds((first, second))
        assert kinds((first, second)) < {Deleted, Patched, NoSuchDocument}
    assert await records.all(home) == ()
    assert await records.documents.usage(home.id) == Usage(0, QUOTA, 0)


async def test_of_two_moves_of_one_folder_one_moves_it(records: Records) -> None:
    home = await records.workspace(QUOTA)
    documents = [await records.recorded(home, folder=f"/a/{number}") for number in range(PAIRS)]
    pairs = await meet(
        records,
        home,
        (
            (records.move(home, f"/a/{number}", f"/b/{number}"), records.move(home, f"/a/{number}", f"/c/{number}"))
            for number in range(PAIRS)
        ),
    )
    for number, pair in enumerate(pairs):
        assert kinds(pair) == {FolderMoved, NoSuchFolder}
        target = "/b" if isinstance(pair[0], FolderMoved) else "/c"
        assert await records.now(home, documents[number]) == moved(documents[number], f"{target}/{number}")


async def test_of_two_moves_to_one_path_one_gets_it(records: Records) -> None:
    home = await records.workspace(QUOTA)
    for number in range(PAIRS):
        for folder in (f"/a/{number}", f"/b/{number}"):
            await records.recorded(home, folder=folder)
    pairs = await meet(
        records,
        home,
        (
            (records.move(home, f"/a/{number}", f"/c/{number}"), records.move(home, f"/b/{number}", f"/c/{number}"))
            for number in range(PAIRS)
        ),
    )
    assert all(kinds(pair) == {FolderMoved, FolderTaken} for pair in pairs)
    counts = await records.folders(home)
    assert counts["/c"] == PAIRS == counts["/a"] + counts["/b"]


async def test_a_document_lands_in_a_folder_before_or_after_it_moves(records: Records) -> None:
    home = await records.workspace(QUOTA)
    for number in range(PAIRS):
        await records.recorded(home, folder=f"/a/{number}")
    documents = [await records.recorded(home) for _ in range(PAIRS)]
    pairs: list[Pair] = [
        (records.move(home, f"/a/{n}", f"/z/{n}"), records.patch(home, document.id, folder=f"/a/{n}/b/c"))
        for n, document in enumerate(documents)
    ]
    outcomes = await meet(records, home, (pair if n % 2 else pair[::-1] for n, pair in enumerate(pairs)))
    counts = await records.folders(home)
    for number, (document, pair) in enumerate(zip(documents, outcomes, strict=True)):
        assert kinds(pair) == {FolderMoved, Patched}
        took_along = FolderMoved(2) in pair
        found = await records.now(home, document)
        assert found is not None
        assert found.folder == ("/z" if took_along else "/a") + f"/{number}/b/c"
        # Everything above it is there.
        assert counts[found.folder] == 1
