"""Changes of one workspace that run at the same time are made one after the other.

`at_once` begins many calls together, and `meet` many pairs of calls. So both calls of a pair wait for the workspace
lock; if there are two processes, one call waits in each.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.documents import Document
from domain.ids import DocumentId
from domain.search import DocumentFilter
from ports.ledger import PathState
from ports.outcomes import (
    Created,
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
    PathTaken,
    StateMismatch,
)
from ports.queries import DocumentWithLinks, Usage
from tests.contracts.records import Records, at_once, moved, new_key, only, revised

MANY = 40
ROUNDS = 3
"""The calls of the first round also open database connections; later rounds run fully at once."""
PAIRS = 20
QUOTA = 10**6

Pair = tuple[Awaitable[object], Awaitable[object]]


async def test_of_many_patches_of_one_state_one_succeeds(shared: Records) -> None:
    home = await shared.workspace()
    for _ in range(ROUNDS):
        document = await shared.recorded(home)
        for revision in (1, 2):
            outcomes = await at_once(
                shared.patch(home, document.id, only(f"{revision}"), name=f"{revision} {number}")
                for number in range(MANY)
            )
            (won,) = [outcome.found.document for outcome in outcomes if isinstance(outcome, Patched)]
            assert outcomes.count(StateMismatch()) == MANY - 1
            assert won.revision == revision + 1
            assert await shared.current(document) == won


async def test_patches_of_different_members_at_once_are_all_made(shared: Records) -> None:
    home = await shared.workspace()
    for _ in range(ROUNDS):
        document = await shared.recorded(home)
        changes: list[dict[str, Any]]
        changes = [{"name": "b.pdf"}, {"description": None}, {"folder": "/a/b"}, {"tags": ("z",)}]
        outcomes = await at_once(shared.patch(home, document.id, **change) for change in changes)
        found = [outcome.found.document for outcome in outcomes if isinstance(outcome, Patched)]
        assert sorted(patched.revision for patched in found) == [2, 3, 4, 5]
        wanted = replace(moved(document, "/a/b"), name="b.pdf", description=None, tags=("z",), revision=5)
        assert await shared.current(document) == wanted
        assert wanted in await shared.all(home, DocumentFilter(words=("b.pdf",)))
        assert await shared.all(home, DocumentFilter(words=("zeile",))) == ()


@pytest.mark.parametrize("with_key", [False, True], ids=["without a key", "with one key"])
async def test_of_many_deletes_one_deletes_and_returns_the_size(shared: Records, *, with_key: bool) -> None:
    home = await shared.workspace()
    for _ in range(ROUNDS):
        document, key = await shared.recorded(home), new_key() if with_key else None
        done = Deleted(document.storage_path)
        outcomes = await at_once(shared.delete(home, document.id, key) for _ in range(MANY))
        assert outcomes.count(done) == 1
        assert outcomes.count(replace(done, replayed=True) if with_key else NoSuchDocument()) == MANY - 1
        assert await shared.documents.usage(home.id) == Usage(0, 1000, 0)


@pytest.mark.parametrize("with_key", [False, True], ids=["without a key", "with one key"])
async def test_of_many_links_to_one_entity_one_is_new_and_the_others_report_it(
    shared: Records, *, with_key: bool
) -> None:
    home = await shared.workspace()
    for _ in range(ROUNDS):
        document, key = await shared.recorded(home), new_key() if with_key else None
        links = [shared.link(document.id, role=f"{number}") for number in range(MANY)]
        outcomes = await at_once(shared.add_link(home, link, key) for link in links)
        (new,) = [link for link in links if LinkAdded(link, is_new=True) in outcomes]
        assert outcomes.count(LinkAdded(new, is_new=with_key, replayed=with_key)) == MANY - 1
        assert await shared.documents.get(home.id, document.id) == DocumentWithLinks(revised(document), (new,))


async def test_usage_is_exact_at_every_moment_while_documents_are_created_and_deleted(shared: Records) -> None:
    quota = 100
    home = await shared.workspace(quota_bytes=quota)
    chance = random.Random(10)
    recorded: list[Document] = []
    seen: list[int] = []

    async def create(size: int) -> str:
        document = shared.document(home, path=f"documents/{shared.new_id(shared.clock())}", size_bytes=size)
        outcome = await shared.create(home, document)
        assert isinstance(outcome, Created | OverQuota)
        if isinstance(outcome, Created):
            recorded.append(document)
        else:
            assert outcome.used_bytes + size > quota >= outcome.used_bytes
        return type(outcome).__name__

    async def delete(document: DocumentId) -> str:
        return type(await shared.delete(home, document)).__name__

    async def read_usage() -> str:
        seen.append((await shared.documents.usage(home.id)).used_bytes)
        return "read"

    counts: Counter[str] = Counter()
    for _ in range(12):
        # Some documents are deleted twice in a round, and some were deleted long ago.
        deletes = [delete(chance.choice(recorded).id) for _ in range(16) if recorded]
        calls = [*(create(chance.choice((0, 1, 9, 25, 60))) for _ in range(16)), *deletes]
        calls += [read_usage() for _ in range(4)]
        chance.shuffle(calls)
        counts.update(await at_once(calls))
        left = await shared.all(home)
        sizes = [document.stored.size_bytes for document in left]
        assert await shared.documents.usage(home.id) == Usage(sum(sizes), quota, len(sizes))
    assert counts.keys() == {"Created", "OverQuota", "Deleted", "NoSuchDocument", "read"}
    assert 0 < max(seen) <= quota
    assert len(left) == counts["Created"] - counts["Deleted"]


async def test_creates_in_a_folder_that_moves_are_before_or_after_the_move(shared: Records) -> None:
    for number in range(ROUNDS):
        home = await shared.workspace(quota_bytes=10_000)
        await shared.recorded(home, folder="/a/b")
        documents = [
            shared.document(home, path=f"documents/{n}", folder=("/a", "/a/b", "/a/b/c", "/a/d")[n % 4])
            for n in range(MANY)
        ]
        calls: list[Awaitable[object]] = [shared.create(home, document) for document in documents]
        calls.insert(number * MANY // ROUNDS, shared.move(home, "/a", "/z"))
        (move,) = (outcome for outcome in await at_once(calls) if isinstance(outcome, FolderMoved))
        counts = await shared.folders(home)
        assert counts["/z"] == move.documents
        assert counts["/z"] + counts.get("/a", 0) == MANY + 1
        for document in documents:
            found = await shared.current(document)
            assert found is not None
            assert found.folder in (document.folder, (document.folder or "").replace("/a", "/z", 1))
            assert found.folder in counts


async def test_of_many_moves_of_one_folder_one_moves_it(shared: Records) -> None:
    for _ in range(ROUNDS):
        home = await shared.workspace()
        document = await shared.recorded(home, folder="/a/b")
        outcomes = await at_once(shared.move(home, "/a", f"/z{number}") for number in range(MANY))
        assert (outcomes.count(FolderMoved(1)), outcomes.count(NoSuchFolder())) == (1, MANY - 1)
        assert await shared.current(document) == moved(document, f"/z{outcomes.index(FolderMoved(1))}/b")


async def test_a_path_that_is_deleted_swept_and_created_at_once_is_never_recorded_again(shared: Records) -> None:
    home = await shared.workspace()
    for _ in range(ROUNDS):
        documents = [await shared.recorded(home) for _ in range(MANY // 4)]
        paths = [document.storage_path for document in documents]
        calls: list[Awaitable[object]] = []
        for document, path in zip(documents, paths, strict=True):
            calls += [
                shared.delete(home, document.id),
                shared.condemn(home, path),
                shared.finalise(home, shared.clock() + timedelta(hours=1), path),
                shared.create(home, shared.document(home, path=path.split("/", 2)[2])),
            ]
        random.Random(2).shuffle(calls)
        outcomes = await at_once(calls)
        assert sum(isinstance(outcome, Deleted) for outcome in outcomes) == len(documents)
        assert sum(isinstance(outcome, PathTaken) for outcome in outcomes) == len(documents)
        assert set(await shared.states(home, *paths)) <= {PathState.CONDEMNED, PathState.GONE}
        assert await shared.documents.usage(home.id) == Usage(0, 1000, 0)


async def test_changes_of_different_workspaces_at_once_are_all_made(shared: Records) -> None:
    homes = [await shared.workspace() for _ in range(8)]
    pairs = [(home, await shared.recorded(home, folder="/a")) for home in homes]
    calls: list[Awaitable[object]] = []
    for home, document in pairs:
        calls += [shared.patch(home, document.id, name=f"{number}") for number in range(4)]
        calls += [shared.move(home, "/a", "/z"), shared.add_link(home, shared.link(document.id))]
    await at_once(calls)
    for home, document in pairs:
        found = await shared.documents.get(home.id, document.id)
        assert found is not None
        assert (found.document.revision, found.document.folder, len(found.links)) == (6, "/z", 1)


async def meet(pairs: Iterable[Pair]) -> list[tuple[object, object]]:
    """Begin all pairs of calls together and return the outcomes of each. Every other pair is begun in reverse."""
    ordered = [pair[::-1] if number % 2 else pair for number, pair in enumerate(pairs)]
    outcomes = await at_once(call for pair in ordered for call in pair)
    met: list[tuple[object, object]] = list(zip(outcomes[::2], outcomes[1::2], strict=True))
    return [pair[::-1] if number % 2 else pair for number, pair in enumerate(met)]


async def test_of_two_removals_of_one_link_one_removes_it(shared: Records) -> None:
    home = await shared.workspace(QUOTA)
    document = await shared.recorded(home)
    links = [await shared.linked_to(home, document, entity_id=f"{number}") for number in range(PAIRS)]
    remove = shared.remove_link
    for pair in await meet((remove(home, document.id, link.id), remove(home, document.id, link.id)) for link in links):
        assert set(map(type, pair)) == {LinkRemoved, NoSuchLink}


@pytest.mark.parametrize("done", [Patched, LinkAdded])
async def test_a_change_that_meets_a_delete_comes_before_it_or_finds_no_document(
    shared: Records, done: type[object]
) -> None:
    home = await shared.workspace(QUOTA)

    def change(item: Document) -> Awaitable[object]:
        if done is Patched:
            return shared.patch(home, item.id, folder="/a")
        return shared.add_link(home, shared.link(item.id))

    documents = [await shared.recorded(home) for _ in range(PAIRS)]
    outcomes = await meet((shared.delete(home, item.id), change(item)) for item in documents)
    assert {frozenset(map(type, pair)) for pair in outcomes} <= {
        frozenset({Deleted, done}),
        frozenset({Deleted, NoSuchDocument}),
    }
    assert await shared.all(home) == ()
    assert await shared.linked(home) == ()
    assert await shared.documents.usage(home.id) == Usage(0, QUOTA, 0)


async def test_of_two_moves_to_one_path_one_succeeds(shared: Records) -> None:
    home = await shared.workspace(QUOTA)
    for number in range(PAIRS):
        for folder in (f"/a/{number}", f"/b/{number}"):
            await shared.recorded(home, folder=folder)
    pairs: list[Pair] = [
        (shared.move(home, f"/a/{number}", f"/c/{number}"), shared.move(home, f"/b/{number}", f"/c/{number}"))
        for number in range(PAIRS)
    ]
    for pair in await meet(pairs):
        assert set(map(type, pair)) == {FolderMoved, FolderTaken}
    counts = await shared.folders(home)
    assert counts["/c"] == PAIRS == counts["/a"] + counts["/b"]


async def test_a_patch_into_a_folder_that_moves_is_before_or_after_the_move(shared: Records) -> None:
    home = await shared.workspace(QUOTA)
    for number in range(PAIRS):
        await shared.recorded(home, folder=f"/a/{number}")
    documents = [await shared.recorded(home) for _ in range(PAIRS)]
    pairs: list[Pair] = [
        (shared.move(home, f"/a/{number}", f"/z/{number}"), shared.patch(home, item.id, folder=f"/a/{number}/b/c"))
        for number, item in enumerate(documents)
    ]
    outcomes = await meet(pairs)
    counts = await shared.folders(home)
    for number, (document, pair) in enumerate(zip(documents, outcomes, strict=True)):
        assert set(map(type, pair)) == {FolderMoved, Patched}
        parent = "/z" if FolderMoved(2) in pair else "/a"
        assert await shared.current(document) == replace(moved(document, f"{parent}/{number}/b/c"), revision=2)
        assert counts[f"{parent}/{number}/b/c"] == 1
