"""What a change with an Idempotency-Key promises, on every adapter."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from domain.access import Workspace
from domain.documents import Document
from domain.entity_links import EntityLink
from domain.idempotency import LIFETIME
from domain.ids import DocumentId
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
from tests.contracts.records import Records
from tests.contracts.test_documents import a_key
from tests.contracts.test_keys_and_workspaces import a_key as an_api_key


@dataclass(frozen=True)
class Scene:
    """A document with a link in a workspace."""

    records: Records
    home: Workspace
    document: Document
    held: EntityLink
    key: str

    async def snapshot(self) -> object:
        """All that is recorded."""
        records, home = self.records, self.home
        return (
            await records.documents.get(home.id, self.document.id),
            await records.documents.usage(home.id),
            await records.all(home),
            await records.linked(home),
        )


@pytest.fixture
async def scene(records: Records) -> Scene:
    home = await records.workspace()
    document = await records.recorded(home)
    held = records.link(document.id, entity_id="held")
    await records.add_link(home, held)
    return Scene(records, home, document, held, a_key())


Do = Callable[[Scene], Awaitable[Any]]


async def delete(scene: Scene) -> object:
    return await scene.records.delete(scene.home, scene.document.id, scene.key)


async def link(scene: Scene) -> object:
    return await scene.records.add_link(scene.home, scene.records.link(scene.document.id), scene.key)


async def link_again(scene: Scene) -> object:
    again = scene.records.link(scene.document.id, entity_id="held")
    return await scene.records.add_link(scene.home, again, scene.key)


async def unlink(scene: Scene) -> object:
    return await scene.records.remove_link(scene.home, scene.document.id, scene.held.id, scene.key)


async def create(scene: Scene) -> object:
    document = scene.records.document(scene.home, path=f"documents/{scene.key}")
    return await scene.records.documents.create(document, scene.records.intent(scene.home, scene.key))


async def add_api_key(scene: Scene) -> object:
    intent = scene.records.intent(scene.home, scene.key, operation="create_api_key")
    return await scene.records.keys.add(an_api_key(scene.records, scene.home), intent, b"sealed")


async def revoke_api_key(scene: Scene) -> object:
    key = an_api_key(scene.records, scene.home)
    assert await scene.records.keys.add(key) == ApiKeyAdded()
    intent = scene.records.intent(scene.home, scene.key, operation="revoke_api_key")
    return await scene.records.keys.revoke(scene.home.id, key.id, scene.records.clock(), intent)


CHANGES: tuple[Do, ...] = (delete, link, link_again, unlink)
OTHERS: tuple[Do, ...] = (create, add_api_key, revoke_api_key)


def named(do: Do) -> str:
    return getattr(do, "__name__", "")


@pytest.mark.parametrize("do", CHANGES, ids=named)
async def test_a_replay_is_the_first_answer_and_changes_nothing(scene: Scene, do: Do) -> None:
    first = await do(scene)
    assert not first.replayed
    after = await scene.snapshot()
    for _ in range(2):
        scene.records.clock.advance(hours=1)
        assert await do(scene) == replace(first, replayed=True)
        assert await scene.snapshot() == after


@pytest.mark.parametrize(("first", "then"), [*permutations([*CHANGES, *OTHERS], 2)], ids=named)
async def test_a_key_is_used_for_one_request_of_all_operations(scene: Scene, first: Do, then: Do) -> None:
    done = await first(scene)
    assert isinstance(done, Created | Deleted | LinkAdded | LinkRemoved | ApiKeyAdded | ApiKeyRevoked)
    after = await scene.snapshot()
    assert await then(scene) == IdempotencyKeyReused()
    assert await scene.snapshot() == after


@pytest.mark.parametrize("kind", ["delete", "link", "unlink"])
async def test_a_key_is_used_for_one_target(scene: Scene, kind: str) -> None:
    records, home, key = scene.records, scene.home, scene.key
    other = await records.recorded(home)
    theirs = records.link(other.id)
    await records.add_link(home, theirs)
    match kind:
        case "delete":
            await delete(scene)
            assert await records.delete(home, other.id, key) == IdempotencyKeyReused()
        case "link":
            await link(scene)
            assert await records.add_link(home, records.link(other.id), key) == IdempotencyKeyReused()
        case _:
            await unlink(scene)
            assert await records.remove_link(home, other.id, theirs.id, key) == IdempotencyKeyReused()
    assert await records.documents.get(home.id, other.id) == DocumentWithLinks(other, (theirs,))


@pytest.mark.parametrize("do", CHANGES, ids=named)
async def test_a_receipt_of_a_change_is_gone_after_24_hours_and_not_before(scene: Scene, do: Do) -> None:
    first = await do(scene)
    scene.records.clock.advance(seconds=LIFETIME.total_seconds() - 1)
    assert await do(scene) == replace(first, replayed=True)
    assert await create(scene) == IdempotencyKeyReused()
    scene.records.clock.advance(seconds=2)
    again = await do(scene)
    match again:
        case LinkAdded():
            assert again == replace(first, is_new=False)
        case _:
            assert again in (NoSuchDocument(), NoSuchLink())
    # What was refused has left the key free; what was done has not.
    assert isinstance(await create(scene), IdempotencyKeyReused if isinstance(again, LinkAdded) else Created)


@pytest.mark.parametrize("do", CHANGES, ids=named)
async def test_a_receipt_answers_though_nothing_is_there_any_more(scene: Scene, do: Do) -> None:
    first = await do(scene)
    await scene.records.delete(scene.home, scene.document.id)
    assert await do(scene) == replace(first, replayed=True)
    assert await create(scene) == IdempotencyKeyReused()


async def test_a_receipt_answers_though_the_record_is_in_another_state(scene: Scene) -> None:
    records, home, document = scene.records, scene.home, scene.document
    done = await records.delete(home, document.id, scene.key, expected_revisions=frozenset({1}))
    assert done == Deleted(document.storage_path)
    again = await records.delete(home, document.id, scene.key, expected_revisions=frozenset({7}))
    assert again == Deleted(document.storage_path, replayed=True)


async def test_a_link_is_replayed_as_it_was_though_it_was_removed(scene: Scene) -> None:
    records, home, document = scene.records, scene.home, scene.document
    first = records.link(document.id, role="buyer")
    assert await records.add_link(home, first, scene.key) == LinkAdded(first, is_new=True)
    await records.remove_link(home, document.id, first.id)
    second = records.link(document.id, role="seller")
    assert await records.add_link(home, second, scene.key) == LinkAdded(first, is_new=True, replayed=True)
    assert await records.linked(home) == ()


async def test_a_refused_change_leaves_the_key_free(scene: Scene) -> None:
    records, home, document, key = scene.records, scene.home, scene.document, scene.key
    unknown = DocumentId("doc_" + records.new_id(records.clock()))
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


async def test_a_create_is_replayed_as_it_was_though_the_document_was_changed_or_deleted(records: Records) -> None:
    home, key = await records.workspace(), a_key()
    document = records.document(home, folder="/a")
    await records.documents.create(document, records.intent(home, key))

    async def again() -> object:
        other = replace(document, id=DocumentId("doc_" + records.new_id(records.clock())), created_at=records.clock())
        assert await records.documents.receipt(records.intent(home, key)) in (Replayed(document), None)
        return await records.documents.create(other, records.intent(home, key))

    await records.patch(home, document.id, name="b.pdf", folder="/b")
    await records.move(home, "/b", "/c")
    assert await again() == Replayed(document)
    await records.delete(home, document.id)
    gone = Usage(0, 1000, 0)
    assert await again() == Replayed(document)
    records.clock.advance(seconds=LIFETIME.total_seconds() - 1)
    assert await again() == Replayed(document)
    assert await records.documents.usage(home.id) == gone
    # A new request then, for a path that stays taken.
    records.clock.advance(seconds=2)
    assert await again() == PathTaken(None)
    assert await records.documents.usage(home.id) == gone
    assert await records.all(home) == ()


async def test_receipts_of_changes_are_forgotten_like_all_others(scene: Scene) -> None:
    records = scene.records
    # Those of other tests, whose clocks went on.
    await records.ledger.delete_expired_receipts(records.clock() + timedelta(days=1000))
    await delete(scene)
    records.clock.advance(hours=24)
    assert [await records.ledger.delete_expired_receipts(records.clock()) for _ in range(2)] == [1, 0]
