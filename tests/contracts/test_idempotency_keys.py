"""What an idempotency key promises, over all operations that accept one."""

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
    IdempotencyKeyReused,
    LinkAdded,
    LinkRemoved,
    NoSuchDocument,
    NoSuchLink,
    PathTaken,
    Replayed,
    RevisionMismatch,
)
from ports.queries import DocumentWithLinks, Usage
from tests.contracts.records import Records, new_key


@dataclass(frozen=True)
class Scene:
    """A document with an entity link, and an API key; `key` is the idempotency key of every operation here."""

    records: Records
    home: Workspace
    document: Document
    held: EntityLink
    api_key: ApiKey
    key: str

    async def snapshot(self) -> object:
        """Return everything that is recorded."""
        records, home = self.records, self.home
        return (
            await records.documents.get(home.id, self.document.id),
            await records.documents.usage(home.id),
            await records.all(home),
            await records.linked(home),
            await records.api_keys.all(home.id),
        )


@pytest.fixture
async def scene(records: Records) -> Scene:
    home = await records.workspace()
    document = await records.recorded(home)
    held = await records.linked_to(home, document, entity_id="held")
    return Scene(records, home, document, held, await records.added(home), new_key())


Operation = Callable[[Scene], Awaitable[Any]]


async def delete(scene: Scene) -> object:
    return await scene.records.delete(scene.home, scene.document.id, scene.key)


async def add_link(scene: Scene) -> object:
    return await scene.records.add_link(scene.home, scene.records.link(scene.document.id), scene.key)


async def add_existing_link(scene: Scene) -> object:
    existing = scene.records.link(scene.document.id, entity_id="held")
    return await scene.records.add_link(scene.home, existing, scene.key)


async def remove_link(scene: Scene) -> object:
    return await scene.records.remove_link(scene.home, scene.document.id, scene.held.id, scene.key)


async def create(scene: Scene) -> object:
    document = scene.records.document(scene.home, path=f"documents/{scene.key}")
    return await scene.records.create(scene.home, document, scene.key)


async def add_api_key(scene: Scene) -> object:
    intent = scene.records.intent(scene.home, scene.key, operation="create_api_key")
    return await scene.records.api_keys.add(scene.records.api_key(scene.home), intent, b"sealed")


async def revoke_api_key(scene: Scene) -> object:
    intent = scene.records.intent(scene.home, scene.key, operation="revoke_api_key")
    return await scene.records.api_keys.revoke(scene.home.id, scene.api_key.id, scene.records.clock(), intent)


CHANGES: tuple[Operation, ...] = (delete, add_link, add_existing_link, remove_link)
OPERATIONS: tuple[Operation, ...] = (*CHANGES, create, add_api_key, revoke_api_key)


def name_of(operation: Operation) -> str:
    return getattr(operation, "__name__", "")


@pytest.mark.parametrize("change", CHANGES, ids=name_of)
async def test_a_replay_reports_the_first_outcome_and_changes_nothing(scene: Scene, change: Operation) -> None:
    first = await change(scene)
    assert not first.replayed
    after = await scene.snapshot()
    for _ in range(2):
        scene.records.clock.advance(hours=1)
        assert await change(scene) == replace(first, replayed=True)
        assert await scene.snapshot() == after


@pytest.mark.parametrize("first", OPERATIONS, ids=name_of)
async def test_a_used_key_is_refused_for_every_other_operation(scene: Scene, first: Operation) -> None:
    done = await first(scene)
    assert isinstance(done, Created | Deleted | LinkAdded | LinkRemoved | ApiKeyAdded | ApiKeyRevoked)
    after = await scene.snapshot()
    for then in OPERATIONS:
        if then is not first:
            assert await then(scene) == IdempotencyKeyReused(), name_of(then)
            assert await scene.snapshot() == after


@pytest.mark.parametrize("change", [delete, add_link, remove_link], ids=name_of)
async def test_a_used_key_is_refused_for_the_same_operation_on_another_document(
    scene: Scene, change: Operation
) -> None:
    other = await scene.records.recorded(scene.home)
    link = await scene.records.linked_to(scene.home, other)
    await change(scene)
    assert await change(replace(scene, document=other, held=link)) == IdempotencyKeyReused()
    assert await scene.records.documents.get(scene.home.id, other.id) == DocumentWithLinks(other, (link,))


@pytest.mark.parametrize("change", CHANGES, ids=name_of)
async def test_a_receipt_answers_for_24_hours_and_no_longer(scene: Scene, change: Operation) -> None:
    first = await change(scene)
    scene.records.clock.advance(seconds=LIFETIME.total_seconds() - 1)
    assert await change(scene) == replace(first, replayed=True)
    scene.records.clock.advance(seconds=2)
    again = await change(scene)
    if isinstance(again, LinkAdded):
        assert again == replace(first, is_new=False)
        assert await create(scene) == IdempotencyKeyReused()
    else:
        # A refusal leaves the key unused.
        assert again in (NoSuchDocument(), NoSuchLink())
        assert isinstance(await create(scene), Created)


@pytest.mark.parametrize("change", CHANGES, ids=name_of)
async def test_a_receipt_answers_after_its_document_was_deleted(scene: Scene, change: Operation) -> None:
    first = await change(scene)
    await scene.records.delete(scene.home, scene.document.id)
    assert await change(scene) == replace(first, replayed=True)


async def test_a_receipt_answers_before_the_expected_revision_is_checked(scene: Scene) -> None:
    records, home, document = scene.records, scene.home, scene.document
    done = await records.delete(home, document.id, scene.key, expected_revisions=frozenset({1}))
    assert done == Deleted(document.storage_path)
    again = await records.delete(home, document.id, scene.key, expected_revisions=frozenset({7}))
    assert again == Deleted(document.storage_path, replayed=True)


async def test_an_entity_link_is_replayed_as_it_was_after_it_was_removed(scene: Scene) -> None:
    records, home, document = scene.records, scene.home, scene.document
    first, second = records.link(document.id, role="buyer"), records.link(document.id, role="seller")
    assert await records.add_link(home, first, scene.key) == LinkAdded(first, is_new=True)
    await records.remove_link(home, document.id, first.id)
    assert await records.add_link(home, second, scene.key) == LinkAdded(first, is_new=True, replayed=True)
    assert await records.linked(home) == ()


async def test_a_refused_change_leaves_the_key_unused(scene: Scene) -> None:
    records, home, document, key = scene.records, scene.home, scene.document, scene.key
    unknown = records.unknown_document()
    assert await records.delete(home, unknown, key) == NoSuchDocument()
    assert await records.delete(home, document.id, key, expected_revisions=frozenset({2})) == RevisionMismatch()
    assert await records.add_link(home, records.link(unknown), key) == NoSuchDocument()
    assert await records.remove_link(home, unknown, scene.held.id, key) == NoSuchLink()
    assert await records.delete(home, document.id, key) == Deleted(document.storage_path)


async def test_without_a_key_nothing_is_replayed(scene: Scene) -> None:
    records, home, document = scene.records, scene.home, scene.document
    assert await records.remove_link(home, document.id, scene.held.id) == LinkRemoved()
    assert await records.remove_link(home, document.id, scene.held.id) == NoSuchLink()
    assert await records.delete(home, document.id) == Deleted(document.storage_path)
    assert await records.delete(home, document.id) == NoSuchDocument()


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
    # After exactly 24 hours it is a new request, for a path that stays taken.
    records.clock.advance(seconds=1)
    assert await records.documents.receipt(records.intent(home, key)) is None
    assert await create_again() == PathTaken(None)
    assert await records.documents.usage(home.id) == Usage(0, 1000, 0)
    assert await records.all(home) == ()


async def test_only_expired_receipts_are_deleted(scene: Scene) -> None:
    records = scene.records
    # Delete the receipts of other tests, whose clocks may be far ahead.
    await records.ledger.delete_expired_receipts(records.clock() + timedelta(days=1000))
    await delete(scene)
    records.clock.advance(hours=1)
    late = records.intent(scene.home, new_key())
    await records.documents.create(records.document(scene.home, path="documents/late"), late)
    records.clock.advance(hours=23)
    assert [await records.ledger.delete_expired_receipts(records.clock()) for _ in range(2)] == [1, 0]
    assert isinstance(await records.documents.receipt(late), Replayed)
    records.clock.advance(hours=1)
    assert await records.ledger.delete_expired_receipts(records.clock()) == 1
