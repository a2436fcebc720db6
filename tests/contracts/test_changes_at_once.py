"""What is promised of changes that are asked for at the same time, on every adapter."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from domain.access import Workspace
from domain.documents import Document
from domain.ids import DocumentId
from domain.search import DocumentFilter
from ports.ledger import PathState
from ports.outcomes import (
    Created,
    Deleted,
    FolderMoved,
    LinkAdded,
    NoSuchDocument,
    NoSuchFolder,
    OverQuota,
    Patched,
    PathTaken,
    RevisionMismatch,
)
from ports.queries import DocumentWithLinks, Usage
from ports.storage import ListedObject
from tests.contracts.records import Records, moved
from tests.contracts.test_documents import a_key

T = TypeVar("T")

MANY = 40
ROUNDS = 5
"""The first ones open connections; those after it meet."""


async def at_once(acts: Iterable[Awaitable[T]]) -> list[T]:
    """What comes of all of them, begun together."""
    waiting = list(acts)
    barrier = asyncio.Barrier(len(waiting))

    async def begin(act: Awaitable[T]) -> T:
        await barrier.wait()
        return await act

    return await asyncio.gather(*map(begin, waiting))


async def test_of_many_changes_of_one_state_one_wins(records: Records) -> None:
    home = await records.workspace()
    for _ in range(ROUNDS):
        document = await records.recorded(home)
        for revision in (1, 2):
            outcomes = await at_once(
                records.patch(home, document.id, frozenset({revision}), name=f"{revision} {number}")
                for number in range(MANY)
            )
            won = [outcome.found.document for outcome in outcomes if isinstance(outcome, Patched)]
            assert len(won) == 1
            assert outcomes.count(RevisionMismatch()) == MANY - 1
            assert won[0].revision == revision + 1
            assert await records.now(home, document) == won[0]


async def test_of_many_changes_of_any_state_none_is_lost(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    outcomes = await at_once(records.patch(home, document.id, name=f"{number}") for number in range(MANY))
    documents = [outcome.found.document for outcome in outcomes if isinstance(outcome, Patched)]
    assert sorted(found.revision for found in documents) == [*range(2, MANY + 2)]
    assert len({found.name for found in documents}) == MANY
    last = max(documents, key=lambda found: found.revision)
    assert await records.now(home, document) == last


async def test_changes_of_different_members_at_once_are_all_made(records: Records) -> None:
    home = await records.workspace()
    for _ in range(ROUNDS):
        document = await records.recorded(home)
        await at_once(
            [
                records.patch(home, document.id, name="b.pdf"),
                records.patch(home, document.id, description=None),
                records.patch(home, document.id, folder="/a/b"),
                records.patch(home, document.id, tags=("z",)),
            ]
        )
        wanted = replace(moved(document, "/a/b"), name="b.pdf", description=None, tags=("z",), revision=5)
        assert await records.now(home, document) == wanted
        assert document.id in [found.id for found in await records.all(home, DocumentFilter(search="b.pdf"))]
        assert await records.all(home, DocumentFilter(search="zeile")) == ()


async def test_of_many_deletes_of_one_document_one_deletes(records: Records) -> None:
    home = await records.workspace()
    for _ in range(ROUNDS):
        document, kept = await records.recorded(home), await records.recorded(home, size_bytes=0)
        outcomes = await at_once(records.delete(home, document.id) for _ in range(MANY))
        assert outcomes.count(Deleted(document.storage_path)) == 1
        assert outcomes.count(NoSuchDocument()) == MANY - 1
        await records.delete(home, kept.id)
        assert await records.documents.usage(home.id) == Usage(0, 1000, 0)


async def test_of_twins_that_delete_one_deletes_and_all_agree(records: Records) -> None:
    home = await records.workspace()
    document, key = await records.recorded(home), a_key()
    outcomes = await at_once(records.delete(home, document.id, key) for _ in range(MANY))
    assert outcomes.count(Deleted(document.storage_path)) == 1
    assert outcomes.count(Deleted(document.storage_path, replayed=True)) == MANY - 1


async def test_of_many_links_to_one_thing_one_is_new(records: Records) -> None:
    home = await records.workspace()
    for _ in range(ROUNDS):
        document = await records.recorded(home)
        links = [records.link(document.id, role=f"{number}") for number in range(MANY)]
        outcomes = await at_once(records.add_link(home, link) for link in links)
        new = [outcome.link for outcome in outcomes if isinstance(outcome, LinkAdded) and outcome.is_new]
        assert len(new) == 1
        assert outcomes.count(LinkAdded(new[0], is_new=False)) == MANY - 1
        assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, (new[0],))


async def test_of_twins_that_link_one_links_and_all_agree(records: Records) -> None:
    home = await records.workspace()
    document, key = await records.recorded(home), a_key()
    links = [records.link(document.id, role=f"{number}") for number in range(MANY)]
    outcomes = await at_once(records.add_link(home, link, key) for link in links)
    new = [outcome.link for outcome in outcomes if outcome in [LinkAdded(link, is_new=True) for link in links]]
    assert len(new) == 1
    assert outcomes.count(LinkAdded(new[0], is_new=True, replayed=True)) == MANY - 1


async def test_the_quota_holds_while_documents_come_and_go(records: Records) -> None:
    quota = 100
    home = await records.workspace(quota_bytes=quota)
    chance = random.Random(10)
    here: list[Document] = []
    seen = []

    async def come(size: int) -> str:
        document = records.document(home, path=f"documents/{records.new_id(records.clock())}", size_bytes=size)
        outcome = await records.documents.create(document, records.intent(home))
        assert isinstance(outcome, Created | OverQuota)
        if isinstance(outcome, Created):
            here.append(document)
        else:
            assert outcome.used_bytes + size > quota >= outcome.used_bytes
        return type(outcome).__name__

    async def go(document: DocumentId) -> str:
        return type(await records.delete(home, document)).__name__

    async def look() -> str:
        seen.append((await records.documents.usage(home.id)).used_bytes)
        return "looked"

    met: Counter[str] = Counter()
    for _ in range(3 * ROUNDS):
        # Some are deleted twice, and some were deleted long ago.
        gone = [go(chance.choice(here).id) for _ in range(16) if here]
        acts = [*(come(chance.choice((0, 1, 9, 25, 60))) for _ in range(16)), *gone, *(look() for _ in range(4))]
        chance.shuffle(acts)
        met.update(await at_once(acts))
        left = await records.all(home)
        sizes = [document.stored.size_bytes for document in left]
        assert await records.documents.usage(home.id) == Usage(sum(sizes), quota, len(sizes))
    assert met.keys() == {"Created", "OverQuota", "Deleted", "NoSuchDocument", "looked"}
    assert 0 < max(seen) <= quota
    assert len(left) == met["Created"] - met["Deleted"]


async def test_creates_into_a_folder_that_moves_land_before_or_after_it(records: Records) -> None:
    for number in range(ROUNDS):
        home = await records.workspace(quota_bytes=10_000)
        await records.recorded(home, folder="/a/b")
        documents = [
            records.document(home, path=f"documents/{n}", folder=("/a", "/a/b", "/a/b/c", "/a/d")[n % 4])
            for n in range(MANY)
        ]
        creates: list[Awaitable[object]] = [
            records.documents.create(document, records.intent(home)) for document in documents
        ]
        creates.insert(number * MANY // ROUNDS, records.move(home, "/a", "/z"))
        outcomes = await at_once(creates)
        counts = await records.folders(home)
        (move,) = (outcome for outcome in outcomes if isinstance(outcome, FolderMoved))
        assert counts["/z"] == move.documents
        assert counts["/z"] + counts.get("/a", 0) == MANY + 1
        for document in documents:
            found = await records.now(home, document)
            assert found is not None
            assert found.folder in (document.folder, (document.folder or "").replace("/a", "/z", 1))
        assert sum(found.folder in counts for found in await records.all(home)) == MANY + 1


async def test_of_many_moves_of_one_folder_one_moves_it(records: Records) -> None:
    for _ in range(ROUNDS):
        home = await records.workspace()
        document = await records.recorded(home, folder="/a/b")
        outcomes = await at_once(records.move(home, "/a", f"/z{number}") for number in range(MANY))
        assert (outcomes.count(FolderMoved(1)), outcomes.count(NoSuchFolder())) == (1, MANY - 1)
        folder = f"/z{outcomes.index(FolderMoved(1))}/b"
        assert await records.now(home, document) == moved(document, folder)


async def test_a_delete_and_a_sweep_at_once_leave_a_path_that_nobody_gets(records: Records) -> None:
    home = await records.workspace()
    for _ in range(ROUNDS):
        documents = [await records.recorded(home) for _ in range(MANY // 4)]
        paths = [document.storage_path for document in documents]
        acts: list[Awaitable[object]] = []
        for document in documents:
            path = document.storage_path
            late = ListedObject(key=path, size_bytes=10, etag="e1", modified_at=records.clock())
            acts += [
                records.delete(home, document.id),
                records.ledger.condemn(home.id, [late], records.clock()),
                records.ledger.finalise(home.id, [path], records.clock() + timedelta(hours=1)),
                records.documents.create(records.document(home, path=path.split("/", 2)[2]), records.intent(home)),
            ]
        random.Random(2).shuffle(acts)
        outcomes = await at_once(acts)
        assert sum(isinstance(outcome, Deleted) for outcome in outcomes) == len(documents)
        assert sum(isinstance(outcome, PathTaken) for outcome in outcomes) == len(documents)
        states = await records.ledger.states(home.id, paths)
        assert set(states) == set(paths)
        assert set(states.values()) <= {PathState.CONDEMNED, PathState.GONE}
        assert await records.documents.usage(home.id) == Usage(0, 1000, 0)


async def test_workspaces_change_at_once_without_meeting(records: Records) -> None:
    homes = [await records.workspace() for _ in range(8)]
    pairs: list[tuple[Workspace, Document]] = [(home, await records.recorded(home, folder="/a")) for home in homes]
    acts: list[Awaitable[object]] = []
    for home, document in pairs:
        acts += [records.patch(home, document.id, name=f"{number}") for number in range(4)]
        acts += [records.move(home, "/a", "/z"), records.add_link(home, records.link(document.id))]
    await at_once(acts)
    for home, document in pairs:
        found = await records.documents.get(home.id, document.id)
        assert found is not None
        assert (found.document.revision, found.document.folder, len(found.links)) == (5, "/z", 1)
