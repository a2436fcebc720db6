"""Changes of one workspace that run at the same time are made one after the other.

`at_once` begins many calls together, so they wait for the workspace lock; if there are two processes, in each of them.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.access import Workspace
from domain.documents import Document
from domain.ids import DocumentId
from domain.search import DocumentFilter
from ports.ledger import PathState
from ports.outcomes import (
    Created,
    Deleted,
    FolderDeleted,
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
from tests.contracts.races import at_once
from tests.contracts.records import Records, moved, new_key, only, revised

MANY = 40
ROUNDS = 3
"""The calls of the first round also open database connections; later rounds run fully at once."""


async def test_of_many_patches_that_require_one_state_one_succeeds(shared: Records) -> None:
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
        changes = [{"name": "b.pdf"}, {"description": None}, {"folder": "/a/b"}, {"tags": ("z",)}, {"mime_type": "a/b"}]
        outcomes = await at_once(shared.patch(home, document.id, **change) for change in changes)
        found = [outcome.found.document for outcome in outcomes if isinstance(outcome, Patched)]
        assert sorted(patched.revision for patched in found) == [2, 3, 4, 5, 6]
        new = {"name": "b.pdf", "description": None, "tags": ("z",), "mime_type": "a/b"}
        wanted = replace(moved(document, "/a/b"), **new, revision=6)  # type: ignore[arg-type]
        assert await shared.current(document) == wanted
        # It is found by its new members only.
        for filter_, is_new in (
            (DocumentFilter(words=("b.pdf",)), True),
            (DocumentFilter(words=("zeile",)), False),
            (DocumentFilter(tags=("z",)), True),
            (DocumentFilter(tags=("nda",)), False),
            (DocumentFilter(mime_type="a/b"), True),
            (DocumentFilter(mime_type=document.mime_type), False),
            (DocumentFilter(folder=wanted.folder), True),
            (DocumentFilter(recursive=False), False),
        ):
            assert (wanted in await shared.all(home, filter_)) is is_new, filter_


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
async def test_of_many_links_to_one_entity_at_once_one_is_new(shared: Records, *, with_key: bool) -> None:
    home = await shared.workspace()
    for _ in range(ROUNDS):
        document, key = await shared.recorded(home), new_key() if with_key else None
        links = [shared.link(document.id, role=f"{number}") for number in range(MANY)]
        outcomes = await at_once(shared.add_link(home, link, key) for link in links)
        (new,) = [link for link in links if LinkAdded(link, is_new=True) in outcomes]
        assert outcomes.count(LinkAdded(new, is_new=with_key, replayed=with_key)) == MANY - 1
        assert await shared.documents.get(home.id, document.id) == DocumentWithLinks(revised(document), (new.entity,))


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


async def test_creates_and_patches_into_a_folder_that_moves_are_before_or_after_the_move(shared: Records) -> None:
    for number in range(ROUNDS):
        home = await shared.workspace(quota_bytes=10_000)
        await shared.recorded(home, folder="/a/b")
        folders = [("/a", "/a/b", "/a/b/c", "/a/d")[n % 4] for n in range(MANY)]
        new = [shared.document(home, path=f"documents/{n}", folder=folder) for n, folder in enumerate(folders)]
        old = [await shared.recorded(home) for _ in folders]
        calls: list[Awaitable[object]] = [shared.create(home, document) for document in new]
        calls += [shared.patch(home, document.id, folder=folder) for document, folder in zip(old, folders, strict=True)]
        random.Random(number).shuffle(calls)
        calls.insert(number * len(calls) // ROUNDS, shared.move(home, "/a", "/z"))
        (move,) = (outcome for outcome in await at_once(calls) if isinstance(outcome, FolderMoved))
        counts = await shared.folders(home)
        # A folder /a exists again if a create or a patch came after the move.
        assert counts["/z"] == move.documents
        assert counts["/z"] + counts.get("/a", 0) == 2 * MANY + 1
        for document, folder in zip([*new, *old], folders * 2, strict=True):
            found = await shared.current(document)
            assert found is not None
            assert found.folder in (folder, folder.replace("/a", "/z", 1))
            assert found.folder in counts


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


Pair = tuple[Awaitable[object], Awaitable[object]]


async def removals_of_one_link(shared: Records, home: Workspace, number: int) -> Pair:
    document = await shared.recorded(home)
    link = await shared.linked_to(home, document)
    return shared.remove_link(home, document.id, link.id), shared.remove_link(home, document.id, link.id)


async def moves_of_one_folder(shared: Records, home: Workspace, number: int) -> Pair:
    await shared.recorded(home, folder=f"/{number}/b")
    return shared.move(home, f"/{number}", f"/c/{number}"), shared.move(home, f"/{number}", f"/d/{number}")


async def moves_to_one_path(shared: Records, home: Workspace, number: int) -> Pair:
    for folder in (f"/a/{number}", f"/b/{number}"):
        await shared.recorded(home, folder=folder)
    return shared.move(home, f"/a/{number}", f"/c/{number}"), shared.move(home, f"/b/{number}", f"/c/{number}")


async def deletes_of_one_folder(shared: Records, home: Workspace, number: int) -> Pair:
    await shared.delete(home, (await shared.recorded(home, folder=f"/{number}")).id)
    return shared.delete_folder(home, f"/{number}"), shared.delete_folder(home, f"/{number}")


@pytest.mark.parametrize(
    ("changes", "done", "refused"),
    [
        (removals_of_one_link, LinkRemoved, NoSuchLink),
        (moves_of_one_folder, FolderMoved, NoSuchFolder),
        (moves_to_one_path, FolderMoved, FolderTaken),
        (deletes_of_one_folder, FolderDeleted, NoSuchFolder),
    ],
)
async def test_of_two_conflicting_changes_at_once_exactly_one_is_made(
    shared: Records, changes: Callable[[Records, Workspace, int], Awaitable[Pair]], done: type, refused: type
) -> None:
    home = await shared.workspace(10**6)
    # Many pairs at once: each meets the other call of its pair in the other process.
    pairs = [await changes(shared, home, number) for number in range(MANY)]
    outcomes = await at_once(call for pair in pairs for call in pair)
    for met in zip(outcomes[::2], outcomes[1::2], strict=True):
        assert {*map(type, met)} == {done, refused}


@pytest.mark.parametrize("done", [Patched, LinkAdded])
async def test_a_change_beside_a_delete_comes_first_or_finds_no_document(shared: Records, done: type[object]) -> None:
    home = await shared.workspace()

    def change(item: Document) -> Awaitable[object]:
        if done is Patched:
            return shared.patch(home, item.id, folder="/a")
        return shared.add_link(home, shared.link(item.id))

    calls: list[Awaitable[object]] = []
    for number in range(MANY):
        item = await shared.recorded(home)
        pair = [shared.delete(home, item.id), change(item)]
        calls += pair[::-1] if number % 2 else pair
    outcomes = await at_once(calls)
    for pair_of_outcomes in zip(outcomes[::2], outcomes[1::2], strict=True):
        assert {*map(type, pair_of_outcomes)} in ({Deleted, done}, {Deleted, NoSuchDocument})
    assert await shared.all(home) == ()
    assert await shared.linked(home) == ()
    assert await shared.documents.usage(home.id) == Usage(0, 1000, 0)
