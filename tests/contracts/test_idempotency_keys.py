"""The guarantees of idempotency keys, for all operations that honour them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from domain.access import ApiKey, Workspace
from domain.documents import Document
from domain.entity_links import EntityLink
from domain.idempotency import LIFETIME
from ports.api_keys import ApiKeyAdded, ApiKeyRevoked
from ports.outcomes import (
    Created,
    Deleted,
    FolderDeleted,
    FolderMoved,
    IdempotencyKeyReused,
    LinkAdded,
    LinkRemoved,
    NoSuchDocument,
    NoSuchFolder,
    NoSuchLink,
    Patched,
    PathTaken,
    Replayed,
    StateMismatch,
)
from ports.queries import DocumentWithLinks, Usage
from tests.contracts.records import Records, new_key, only, revised


@dataclass(frozen=True)
class Scene:
    """The records that each test finds in its workspace `home`: a document with an entity link `held`, an API key, and
    an empty folder in a folder that contains nothing else.

    Every operation of a test uses the idempotency key `key`.
    """

    records: Records
    home: Workspace
    document: Document
    held: EntityLink
    api_key: ApiKey
    key: str
    folder: str = "/empty"

    async def snapshot(self) -> object:
        """Return everything that is recorded."""
        records, home = self.records, self.home
        return (
            await records.documents.get(home.id, self.document.id),
            await records.documents.usage(home.id),
            await records.all(home),
            await records.linked(home),
            await records.folders(home),
            await records.api_keys.all(home.id),
        )


@pytest.fixture
async def scene(records: Records) -> Scene:
    home = await records.workspace()
    document = revised(await records.recorded(home))
    held = await records.linked_to(home, document, entity_id="held")
    emptied = await records.recorded(home, folder="/empty/a")
    await records.delete(home, emptied.id)
    return Scene(records, home, document, held, await records.added(home), new_key())


Operation = Callable[[Scene], Awaitable[Any]]

CHANGES: dict[str, Operation] = {
    "patch": lambda it: it.records.patch(it.home, it.document.id, key=it.key, name="b.pdf"),
    "move_folder": lambda it: it.records.move(it.home, f"{it.folder}/a", f"{it.folder}/b", it.key),
    "delete_folder": lambda it: it.records.delete_folder(it.home, it.folder, it.key),
    "delete": lambda it: it.records.delete(it.home, it.document.id, it.key),
    "add_link": lambda it: it.records.add_link(it.home, it.records.link(it.document.id), it.key),
    "add_existing_link": lambda it: it.records.add_link(
        it.home, it.records.link(it.document.id, entity_id="held"), it.key
    ),
    "remove_link": lambda it: it.records.remove_link(it.home, it.document.id, it.held.id, it.key),
}
OPERATIONS: dict[str, Operation] = {
    **CHANGES,
    "create": lambda it: it.records.create(it.home, it.records.document(it.home, path=f"documents/{it.key}"), it.key),
    "create_another": lambda it: it.records.documents.create(
        it.records.document(it.home, path="documents/another"), it.records.intent(it.home, it.key, "that")
    ),
    "add_api_key": lambda it: it.records.api_keys.add(
        it.records.api_key(it.home), it.records.intent(it.home, it.key, operation="create_api_key"), b"sealed"
    ),
    "revoke_api_key": lambda it: it.records.api_keys.revoke(
        it.home.id, it.api_key.id, it.records.clock(), it.records.intent(it.home, it.key, operation="revoke_api_key")
    ),
}
create = OPERATIONS["create"]
SUCCESSES = (
    *(Created, Patched, Deleted, LinkAdded, LinkRemoved, FolderMoved, FolderDeleted),
    *(ApiKeyAdded, ApiKeyRevoked),
)


@pytest.fixture(params=CHANGES)
def change(request: pytest.FixtureRequest) -> Operation:
    return CHANGES[request.param]


async def test_a_replay_reports_the_first_outcome_for_24_hours_without_effect(scene: Scene, change: Operation) -> None:
    first = await change(scene)
    assert not first.replayed
    after = await scene.snapshot()
    for seconds in (3600, LIFETIME.total_seconds() - 3601):
        scene.records.clock.advance(seconds=seconds)
        assert await change(scene) == replace(first, replayed=True)
        assert await scene.snapshot() == after
    scene.records.clock.advance(seconds=2)
    again = await change(scene)
    if isinstance(again, LinkAdded | Patched):
        assert again == (replace(first, is_new=False) if isinstance(first, LinkAdded) else first)
        assert await create(scene) == IdempotencyKeyReused()
    else:
        # A refusal leaves the idempotency key unused.
        assert again in (NoSuchDocument(), NoSuchLink(), NoSuchFolder())
        assert isinstance(await create(scene), Created)


@pytest.mark.parametrize("first", OPERATIONS)
async def test_a_used_idempotency_key_is_refused_for_every_other_operation(scene: Scene, first: str) -> None:
    done = await OPERATIONS[first](scene)
    assert isinstance(done, SUCCESSES)
    after = await scene.snapshot()
    for then in OPERATIONS.keys() - {first}:
        assert await OPERATIONS[then](scene) == IdempotencyKeyReused(), then
        assert await scene.snapshot() == after
    other = scene.records.intent(scene.home, scene.key, "neither")
    assert await scene.records.documents.receipt(other) == IdempotencyKeyReused()


async def test_a_used_idempotency_key_is_refused_for_another_document(scene: Scene, change: Operation) -> None:
    other = await scene.records.recorded(scene.home)
    link = await scene.records.linked_to(scene.home, other)
    await change(scene)
    assert await change(replace(scene, document=other, held=link, folder="/other")) == IdempotencyKeyReused()
    assert await scene.records.documents.get(scene.home.id, other.id) == DocumentWithLinks(
        revised(other), (link.entity,)
    )


async def test_a_change_is_replayed_after_its_document_was_deleted(scene: Scene, change: Operation) -> None:
    first = await change(scene)
    await scene.records.delete(scene.home, scene.document.id)
    assert await change(scene) == replace(first, replayed=True)
    if isinstance(first, Deleted):
        # The receipt is also found before the precondition is checked.
        again = await scene.records.delete(scene.home, scene.document.id, scene.key, only("7"))
        assert again == replace(first, replayed=True)


async def test_an_entity_link_is_replayed_as_it_was_after_it_was_removed(scene: Scene) -> None:
    records, home, document = scene.records, scene.home, scene.document
    first, second = records.link(document.id, role="buyer"), records.link(document.id, role="seller")
    assert await records.add_link(home, first, scene.key) == LinkAdded(first, is_new=True)
    await records.remove_link(home, document.id, first.id)
    assert await records.add_link(home, second, scene.key) == LinkAdded(first, is_new=True, replayed=True)
    assert await records.linked(home) == ()


async def test_a_refused_change_leaves_its_idempotency_key_unused(scene: Scene) -> None:
    records, home, document, key = scene.records, scene.home, scene.document, scene.key
    unknown = records.unknown_document()
    assert await records.delete(home, unknown, key) == NoSuchDocument()
    assert await records.delete(home, document.id, key, only("7")) == StateMismatch()
    assert await records.add_link(home, records.link(unknown), key) == NoSuchDocument()
    assert await records.remove_link(home, unknown, scene.held.id, key) == NoSuchLink()
    assert await records.delete(home, document.id, key) == Deleted(document.storage_path)


async def test_a_create_is_replayed_as_it_was_after_its_document_was_changed_or_deleted(records: Records) -> None:
    home, key = await records.workspace(), new_key()
    document = records.document(home, folder="/a")
    await records.create(home, document, key)

    async def create_again() -> object:
        other = replace(document, id=records.unknown_document(), created_at=records.clock())
        return await records.create(home, other, key)

    await records.patch(home, document.id, name="b.pdf", folder="/b")
    await records.move(home, "/b", "/c")
    assert await create_again() == Replayed(document)
    await records.delete(home, document.id)
    assert await create_again() == Replayed(document)
    assert await records.documents.receipt(records.intent(home, key)) == Replayed(document)
    records.clock.advance(seconds=LIFETIME.total_seconds() - 1)
    assert await create_again() == Replayed(document)
    # After exactly 24 hours the request counts as a new one, and its path is already recorded.
    records.clock.advance(seconds=1)
    assert await records.documents.receipt(records.intent(home, key)) is None
    assert await create_again() == PathTaken(None)
    assert await records.documents.usage(home.id) == Usage(0, 1000, 0)
    assert await records.all(home) == ()


async def test_only_expired_receipts_are_deleted(scene: Scene) -> None:
    records = scene.records
    # Delete the receipts of other tests, whose clocks may be far ahead.
    await records.retention.delete_expired_receipts(records.clock() + timedelta(days=1000))
    await scene.records.delete(scene.home, scene.document.id, scene.key)
    records.clock.advance(hours=1)
    late = records.intent(scene.home, new_key())
    await records.documents.create(records.document(scene.home, path="documents/late"), late)
    records.clock.advance(hours=23)
    assert [await records.retention.delete_expired_receipts(records.clock()) for _ in range(2)] == [1, 0]
    assert isinstance(await records.documents.receipt(late), Replayed)
    records.clock.advance(hours=1)
    assert await records.retention.delete_expired_receipts(records.clock()) == 1
