"""No method finds or changes what another workspace has, on every adapter: all methods are walked with foreign ids."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any, get_args

import pytest

from domain.access import ApiKey, Permission, Workspace
from domain.documents import Changes, Document
from domain.entity_links import EntityLink, EntityType
from domain.pages import Page, Rows
from domain.paths import FolderPath, StoragePath
from domain.search import EVERYTHING, DocumentFilter
from ports.api_keys import ApiKeyAdded, ApiKeys, ApiKeyUse, NoSuchApiKey
from ports.documents import DocumentRepository
from ports.ledger import ObjectLedger, PathState
from ports.outcomes import (
    Created,
    Deleted,
    FolderMoved,
    LinkAdded,
    LinkRemoved,
    NoSuchDocument,
    NoSuchFolder,
    NoSuchLink,
    Patched,
)
from ports.queries import After, DocumentPage, Usage
from ports.storage import ListedObject
from tests.contracts.changes import AddLink, Change, Delete, MoveFolder, Patch, RemoveLink, apply
from tests.contracts.records import Records
from tests.contracts.test_documents import a_key
from tests.contracts.test_keys_and_workspaces import a_key as an_api_key

ALL = Page(1, 100)
FOLDER, OTHER = FolderPath("/a"), FolderPath("/z")

OF_EVERYBODY = {"ObjectLedger.condemned", "ObjectLedger.forget_receipts", "ApiKeys.find", "ApiKeys.get"}
"""What is asked by the sweeper, by operators, and before it is known who asks: in the name of no workspace."""


@dataclass(frozen=True)
class Scene:
    """A workspace that has one of everything, and a stranger that has nothing but what it knows of it."""

    records: Records
    home: Workspace
    stranger: Workspace
    document: Document
    link: EntityLink
    deleted: Document
    api_key: ApiKey
    key: str
    other_key: str

    async def snapshot(self) -> list[object]:
        """All that the workspace has."""
        records, home = self.records, self.home
        paths = [self.document.storage_path, self.deleted.storage_path]
        states = await records.ledger.states(home.id, paths)
        condemned = [item async for page in records.ledger.condemned() for item in page if item.workspace_id == home.id]
        intents = [records.intent(home, key) for key in (self.key, self.other_key)]
        return [
            await records.documents.get(home.id, self.document.id),
            await records.all(home),
            await records.linked(home),
            await records.folders(home),
            await records.tags(home),
            await records.documents.usage(home.id),
            states,
            condemned,
            await records.keys.all(home.id),
            await records.documents.receipt(intents[0]),
            await records.keys.receipt(intents[1]),
        ]


@pytest.fixture
async def scene(records: Records) -> Scene:
    home, stranger = await records.workspace(), await records.workspace()
    document, key, other_key = records.document(home, folder="/a/b"), a_key(), a_key()
    await records.documents.create(document, records.intent(home, key))
    link = records.link(document.id)
    await records.add_link(home, link)
    deleted = await records.recorded(home, folder="/a")
    await records.delete(home, deleted.id)
    api_key = an_api_key(records, home, "CI", Permission.ADMIN_API_KEYS)
    await records.keys.add(api_key, records.intent(home, other_key), b"sealed")
    return Scene(records, home, stranger, document, link, deleted, api_key, key, other_key)


Walk = Callable[[Scene], Awaitable[None]]
WALKS: dict[str, Walk] = {}


def walks(method: Callable[..., Any]) -> Callable[[Walk], Walk]:
    """Let this be how a method is walked by the stranger: it has to find nothing."""

    def register(walk: Walk) -> Walk:
        WALKS[method.__qualname__] = walk
        return walk

    return register


@walks(DocumentRepository.create)
async def _(scene: Scene) -> None:
    path = StoragePath(f"workspaces/{scene.stranger.id}/documents/a")
    # Of the same id even, and by the same keys.
    for number, key in enumerate((scene.key, scene.other_key, None)):
        own = replace(scene.document, workspace_id=scene.stranger.id, storage_path=StoragePath(f"{path}/{number}"))
        own = own if number == 0 else replace(own, id=scene.records.document(scene.stranger).id)
        assert await scene.records.documents.create(own, scene.records.intent(scene.stranger, key)) == Created(own)
    assert (await scene.records.documents.usage(scene.stranger.id)).documents == 3


@walks(DocumentRepository.receipt)
async def _(scene: Scene) -> None:
    for key in (scene.key, scene.other_key):
        assert await scene.records.documents.receipt(scene.records.intent(scene.stranger, key)) is None


def changes(scene: Scene) -> list[tuple[Any, object, type]]:
    """One of each kind: what the stranger is told, and what it would be told were it at home."""
    at, id_ = scene.records.clock(), scene.document.id
    return [
        (Patch(document=id_, changes=Changes(name="b"), expected_revisions=None, at=at), NoSuchDocument(), Patched),
        (AddLink(link=scene.records.link(id_, entity_id="c-2")), NoSuchDocument(), LinkAdded),
        (RemoveLink(document=id_, link=scene.link.id, at=at), NoSuchLink(), LinkRemoved),
        (MoveFolder(source=FOLDER, target=OTHER, at=at), NoSuchFolder(), FolderMoved),
        (Delete(document=id_, expected_revisions=None, at=at), NoSuchDocument(), Deleted),
    ]


@walks(DocumentRepository.patch)
@walks(DocumentRepository.delete)
@walks(DocumentRepository.add_link)
@walks(DocumentRepository.remove_link)
@walks(DocumentRepository.move_folder)
async def _(scene: Scene) -> None:
    assert {type(what) for what, *_ in changes(scene)} == set(get_args(Change))
    for what, answer, _ in changes(scene):
        for key in (None, scene.key):
            intent = scene.records.intent(scene.stranger, key)
            assert await apply(scene.records.documents, what, intent) == answer


@walks(DocumentRepository.get)
async def _(scene: Scene) -> None:
    for document in (scene.document, scene.deleted):
        assert await scene.records.documents.get(scene.stranger.id, document.id) is None


@walks(DocumentRepository.find)
async def _(scene: Scene) -> None:
    document = scene.document
    for wanted in (
        EVERYTHING,
        DocumentFilter(folder=FOLDER),
        DocumentFilter(folder=document.folder, recursive=False),
        DocumentFilter(tags=document.tags),
        DocumentFilter(mime_type=document.mime_type),
        DocumentFilter(search="pdf"),
        DocumentFilter(search="."),
        DocumentFilter(created_after=document.created_at),
    ):
        for place in (ALL, After(scene.deleted.id, 100)):
            found = await scene.records.documents.find(scene.stranger.id, wanted, place)
            assert found == DocumentPage((), 0, total_is_exact=True, more=False)


@walks(DocumentRepository.linked)
async def _(scene: Scene) -> None:
    found = await scene.records.documents.linked(scene.stranger.id, EntityType.CONTACT, "c-1", None, ALL)
    assert found == Rows((), 0)


@walks(DocumentRepository.folders)
async def _(scene: Scene) -> None:
    for parent in (None, FOLDER):
        assert await scene.records.documents.folders(scene.stranger.id, parent, ALL) == Rows((), 0)


@walks(DocumentRepository.tags)
async def _(scene: Scene) -> None:
    assert await scene.records.documents.tags(scene.stranger.id, ALL) == Rows((), 0)


@walks(DocumentRepository.usage)
async def _(scene: Scene) -> None:
    assert await scene.records.documents.usage(scene.stranger.id) == Usage(0, 1000, 0)


@walks(ObjectLedger.states)
async def _(scene: Scene) -> None:
    paths = [scene.document.storage_path, scene.deleted.storage_path]
    assert await scene.records.ledger.states(scene.stranger.id, paths) == {}


@walks(ObjectLedger.condemn)
async def _(scene: Scene) -> None:
    path, at = scene.document.storage_path, scene.records.clock()
    listed = ListedObject(key=path, size_bytes=10, etag="e1", modified_at=at)
    await scene.records.ledger.condemn(scene.stranger.id, [listed], at)
    assert await scene.records.ledger.states(scene.home.id, [path]) == {path: PathState.RECORDED}


@walks(ObjectLedger.finalise)
async def _(scene: Scene) -> None:
    scene.records.clock.advance(hours=1)
    paths = [scene.document.storage_path, scene.deleted.storage_path]
    await scene.records.ledger.finalise(scene.stranger.id, paths, scene.records.clock())


@walks(ApiKeys.add)
async def _(scene: Scene) -> None:
    for number, key in enumerate((scene.key, scene.other_key)):
        # The first has the name that a key has at home.
        own = an_api_key(scene.records, scene.stranger, "" if number else scene.api_key.name)
        assert await scene.records.keys.add(own, scene.records.intent(scene.stranger, key)) == ApiKeyAdded()


@walks(ApiKeys.receipt)
async def _(scene: Scene) -> None:
    for key in (scene.key, scene.other_key):
        assert await scene.records.keys.receipt(scene.records.intent(scene.stranger, key)) is None


@walks(ApiKeys.revoke)
async def _(scene: Scene) -> None:
    for intent in (None, *(scene.records.intent(scene.stranger, key) for key in (None, scene.key, scene.other_key))):
        outcome = await scene.records.keys.revoke(scene.stranger.id, scene.api_key.id, scene.records.clock(), intent)
        assert outcome == NoSuchApiKey()


@walks(ApiKeys.all)
async def _(scene: Scene) -> None:
    assert list(await scene.records.keys.all(scene.stranger.id)) == []


@walks(ApiKeys.search)
async def _(scene: Scene) -> None:
    for text in ("", "ci"):
        found = await scene.records.keys.search(scene.stranger.id, text, ALL, include_revoked=True)
        assert (list(found.keys), found.total) == ([], 0)


@walks(ApiKeys.record_uses)
async def _(scene: Scene) -> None:
    await scene.records.keys.record_uses([ApiKeyUse(scene.stranger.id, scene.api_key.id, scene.records.clock())])


@pytest.mark.parametrize("method", WALKS)
async def test_no_method_finds_or_changes_what_another_workspace_has(scene: Scene, method: str) -> None:
    before = await scene.snapshot()
    await WALKS[method](scene)
    assert await scene.snapshot() == before


async def test_what_is_compared_is_there(scene: Scene) -> None:
    assert all(await scene.snapshot())


def test_every_method_is_walked() -> None:
    ports = {
        f"{port.__name__}.{name}": method
        for port in (DocumentRepository, ObjectLedger, ApiKeys)
        for name, method in vars(port).items()
        if not name.startswith("_")
    }
    assert ports.keys() == WALKS.keys() | OF_EVERYBODY
    for name in OF_EVERYBODY:
        assert signature(ports[name]).parameters.keys().isdisjoint({"workspace", "intent"})


async def test_what_two_workspaces_have_of_one_id_is_changed_in_one(scene: Scene) -> None:
    records, stranger = scene.records, scene.stranger
    path = StoragePath(f"workspaces/{stranger.id}/documents/a")
    own = replace(scene.document, workspace_id=stranger.id, storage_path=path)
    await records.documents.create(own, records.intent(stranger))
    await records.add_link(stranger, scene.link)
    before = await scene.snapshot()
    for what, _, done in changes(scene):
        assert isinstance(await apply(records.documents, what, records.intent(stranger)), done)
        assert await scene.snapshot() == before
    assert await records.documents.usage(stranger.id) == Usage(0, 1000, 0)
