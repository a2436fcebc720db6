"""No repository method shows or changes what belongs to another workspace: each is called with foreign ids."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from inspect import signature

import pytest

from domain.access import ApiKey, Permission, Workspace
from domain.documents import Changes, Document
from domain.entity_links import EntityLink, EntityType
from domain.ids import DocumentId, WorkspaceId
from domain.pages import Page, Rows
from domain.paths import FolderPath, StoragePath
from domain.preconditions import UNCONDITIONAL
from domain.search import EVERYTHING, DocumentFilter
from ports.api_keys import ApiKeyAdded, ApiKeys, ApiKeyUse, NoSuchApiKey
from ports.documents import DocumentRepository
from ports.ledger import ObjectLedger
from ports.outcomes import (
    Created,
    Deleted,
    FolderDeleted,
    FolderMoved,
    LinkAdded,
    LinkRemoved,
    NoSuchDocument,
    NoSuchFolder,
    NoSuchLink,
    Patched,
    UploadIssued,
)
from ports.queries import After, DocumentPage, Usage
from tests.contracts.changes import Change, change
from tests.contracts.records import Records, new_key, revised

ALL = Page(1, 100)
FOLDER, OTHER_FOLDER, EMPTY_FOLDER = FolderPath("/a"), FolderPath("/z"), FolderPath("/empty")

WITHOUT_WORKSPACE = {
    "ObjectLedger.condemned",
    "ObjectLedger.overdue_uploads",
    "ObjectLedger.states",
    "ObjectLedger.with_folders",
    "ApiKeys.get",
    "ApiKeys.find",
    "ApiKeys.pages",
}
"""Methods for the sweeper and for operators, who act for all workspaces, and the one that finds the caller."""


@dataclass(frozen=True)
class Scene:
    """The start of each test: the workspace `home` with a record of each kind, and `other`, a workspace without any.

    The tests call the repositories for `other` with the ids and idempotency keys of `home`.
    """

    records: Records
    home: Workspace
    other: Workspace
    document: Document
    link: EntityLink
    deleted: Document
    issued: StoragePath
    api_key: ApiKey
    create_key: str
    api_key_key: str

    @property
    def keys(self) -> tuple[str, str]:
        """The idempotency keys that were used in the workspace `home`."""
        return self.create_key, self.api_key_key

    async def snapshot(self) -> list[object]:
        """Return every record of the workspace `home`."""
        records, home = self.records, self.home
        return [
            await records.documents.get(home.id, self.document.id),
            await records.all(home),
            await records.linked(home),
            await records.folders(home),
            await records.tags(home),
            await records.documents.usage(home.id),
            await records.states(home, self.document.storage_path, self.deleted.storage_path, self.issued),
            await records.overdue(home),
            await records.condemned(home),
            await records.api_keys.all(home.id),
            await records.documents.receipt(records.intent(home, self.create_key)),
            await records.api_keys.receipt(records.intent(home, self.api_key_key)),
        ]


@pytest.fixture
async def scene(records: Records) -> Scene:
    home, other = await records.workspace(), await records.workspace()
    document, create_key, api_key_key = records.document(home, folder="/a/b"), new_key(), new_key()
    await records.create(home, document, create_key)
    link = await records.linked_to(home, document)
    deleted = await records.recorded(home, folder=EMPTY_FOLDER)
    await records.delete(home, deleted.id)
    api_key = records.api_key(home, "CI", Permission.ADMIN_API_KEYS)
    await records.api_keys.add(api_key, records.intent(home, api_key_key), b"sealed")
    upload = replace(records.upload(home, "issued", 7), held_until=records.clock())
    await records.documents.issue_upload(upload)
    return Scene(records, home, other, revised(document), link, deleted, upload.path, api_key, create_key, api_key_key)


def changes(scene: Scene) -> list[tuple[Change, object, type]]:
    """Return one change of each kind, its outcome in the workspace `other`, and the type of its outcome in `home`."""
    at, id_ = scene.records.clock(), scene.document.id
    on_document = {"document": id_, "precondition": UNCONDITIONAL, "at": at}
    return [
        (change("patch", changes=Changes(name="b"), **on_document), NoSuchDocument(), Patched),
        (change("add_link", link=scene.records.link(id_, entity_id="c-2")), NoSuchDocument(), LinkAdded),
        (change("remove_link", document=id_, link=scene.link.id, at=at), NoSuchLink(), LinkRemoved),
        (change("move_folder", source=FOLDER, target=OTHER_FOLDER, at=at), NoSuchFolder(), FolderMoved),
        (change("delete_folder", folder=EMPTY_FOLDER, at=at), NoSuchFolder(), FolderDeleted),
        (change("delete", **on_document), NoSuchDocument(), Deleted),
    ]


CHANGES = {"patch", "add_link", "remove_link", "move_folder", "delete_folder", "delete"}


async def create_with_the_same_ids_and_keys(scene: Scene) -> None:
    path = f"workspaces/{scene.other.id}/documents/a"
    # The first document even has the id of the document in `home`.
    for number, key in enumerate((*scene.keys, None)):
        own = replace(scene.document, workspace_id=scene.other.id, storage_path=StoragePath(f"{path}/{number}"))
        own = own if number == 0 else replace(own, id=scene.records.unknown_document())
        assert await scene.records.create(scene.other, own, key) == Created(own)
    assert (await scene.records.documents.usage(scene.other.id)).documents == 3


async def make_every_change(scene: Scene) -> None:
    assert {attempted.method for attempted, *_ in changes(scene)} == CHANGES
    for attempted, outcome, _ in changes(scene):
        for key in (None, scene.create_key):
            intent = scene.records.intent(scene.other, key)
            assert await attempted.apply(scene.records.documents, intent) == outcome


async def add_an_api_key_of_the_same_name(scene: Scene) -> None:
    for name, key in zip((scene.api_key.name, ""), scene.keys, strict=True):
        own = scene.records.api_key(scene.other, name)
        assert await scene.records.api_keys.add(own, scene.records.intent(scene.other, key)) == ApiKeyAdded()


NO_DOCUMENTS = DocumentPage((), 0, total_is_exact=True, more=False)
FILTERS: tuple[Callable[[Document], DocumentFilter], ...] = (
    lambda _: EVERYTHING,
    lambda _: DocumentFilter(folder=FOLDER),
    lambda document: DocumentFilter(folder=document.folder, recursive=False),
    lambda document: DocumentFilter(tags=document.tags),
    lambda document: DocumentFilter(mime_type=document.mime_type),
    lambda _: DocumentFilter(words=("pdf",)),
    lambda _: DocumentFilter(words=(".",)),
    lambda _: DocumentFilter(words=("\N{GRINNING FACE}",)),
    lambda document: DocumentFilter(created_after=document.created_at),
    lambda document: DocumentFilter(created_before=document.created_at + timedelta(seconds=1)),
    lambda document: DocumentFilter(sha256=document.stored.sha256),
)


async def find_nothing(scene: Scene) -> None:
    """Call every method that only reads, for the workspace `other` and for an unknown one."""
    records = scene.records
    documents, api_keys = records.documents, records.api_keys
    for reader in (scene.other, replace(scene.other, id=records.unknown_workspace())):
        for document in (scene.document, scene.deleted):
            assert await documents.get(reader.id, document.id) is None
            assert await records.ledger.greatest_paths({reader.id: ("", "x")}) == {}
            assert await records.ledger.recorded_versions(reader.id, [document.storage_path]) == {}
        for wanted in FILTERS:
            for place in (ALL, After(scene.deleted.id, 100)):
                assert await documents.find(reader.id, wanted(scene.document), place) == NO_DOCUMENTS
        assert await documents.linked(reader.id, EntityType.CONTACT, "c-1", None, ALL) == Rows((), 0)
        for parent in (None, FOLDER):
            assert await documents.folders(reader.id, parent, ALL) == Rows((), 0)
        assert await documents.tags(reader.id, ALL) == Rows((), 0)
        quota_bytes = 1000 if reader is scene.other else 0
        assert await documents.usage(reader.id) == Usage(0, quota_bytes, 0)
        for key in scene.keys:
            assert await documents.receipt(records.intent(reader, key)) is None
            assert await api_keys.receipt(records.intent(reader, key)) is None
        assert list(await api_keys.all(reader.id)) == []
        for text in ("", "ci"):
            found = await api_keys.search(reader.id, text, ALL, include_revoked=True)
            assert (list(found.keys), found.total) == ([], 0)


async def revoke_with_every_intent(scene: Scene) -> None:
    at = scene.records.clock()
    for intent in (None, *(scene.records.intent(scene.other, key) for key in (None, *scene.keys))):
        assert await scene.records.api_keys.revoke(scene.other.id, scene.api_key.id, at, intent) == NoSuchApiKey()


async def use_the_ledger_and_the_api_key(scene: Scene) -> None:
    records, other = scene.records, scene.other
    paths = scene.document.storage_path, scene.deleted.storage_path
    await records.condemn(other, *paths)
    await records.api_keys.record_uses([ApiKeyUse(other.id, scene.api_key.id, records.clock())])
    await records.ledger.postpone(other.id, paths, records.clock())
    records.clock.advance(hours=1)
    await records.finalise(other, records.clock(), *paths)
    await records.settle(other, dict.fromkeys((*paths, scene.issued), None))
    await records.condemn(other, scene.issued)
    assert await records.ledger.delete_empty_folders(other.id) == 0


async def issue_and_reserve_the_same_paths(scene: Scene) -> None:
    for upload in (
        replace(scene.records.upload(scene.other, "a", 7), path=path)
        for path in (scene.issued, scene.document.storage_path)
    ):
        assert await scene.records.documents.issue_upload(upload) == UploadIssued()
        assert await scene.records.ledger.reserve(replace(upload, reserved_bytes=9)) == UploadIssued()
    assert (await scene.records.documents.usage(scene.other.id)).reserved_bytes == 18


Attempt = Callable[[Scene], Awaitable[object]]

ATTEMPTS: dict[Attempt, set[str]] = {
    find_nothing: {
        *(f"DocumentRepository.{name}" for name in ("get", "find", "linked", "folders", "tags", "usage", "receipt")),
        *(f"ObjectLedger.{name}" for name in ("greatest_paths", "recorded_versions")),
        *(f"ApiKeys.{name}" for name in ("receipt", "all", "search")),
    },
    create_with_the_same_ids_and_keys: {"DocumentRepository.create"},
    make_every_change: {f"DocumentRepository.{name}" for name in CHANGES},
    add_an_api_key_of_the_same_name: {"ApiKeys.add"},
    revoke_with_every_intent: {"ApiKeys.revoke"},
    issue_and_reserve_the_same_paths: {"DocumentRepository.issue_upload", "ObjectLedger.reserve"},
    use_the_ledger_and_the_api_key: {
        *(
            f"ObjectLedger.{name}"
            for name in ("condemn", "postpone", "finalise", "settle_uploads", "delete_empty_folders")
        ),
        "ApiKeys.record_uses",
    },
}
"""The attempts to reach `home` from `other`, and the repository methods that they call."""


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_no_method_shows_or_changes_what_another_workspace_has(scene: Scene, attempt: Attempt) -> None:
    before = await scene.snapshot()
    assert all(before), "the home lacks something, so the test proves nothing for it"
    await attempt(scene)
    assert await scene.snapshot() == before


def test_every_method_that_takes_a_workspace_is_tried_from_another_one() -> None:
    ports = {
        f"{port.__name__}.{name}": method
        for port in (DocumentRepository, ObjectLedger, ApiKeys)
        for name, method in vars(port).items()
        if not name.startswith("_")
    }
    assert ports.keys() == set().union(*ATTEMPTS.values(), WITHOUT_WORKSPACE)
    for name in WITHOUT_WORKSPACE:
        assert signature(ports[name]).parameters.keys().isdisjoint({"workspace", "intent"})


async def test_a_change_of_an_id_that_two_workspaces_share_is_made_in_one(scene: Scene) -> None:
    records, other = scene.records, scene.other
    path = records.path(other, "documents/a")
    await records.create(other, replace(scene.document, workspace_id=other.id, storage_path=path))
    await records.add_link(other, scene.link)
    await records.delete(other, (await records.recorded(other, folder=EMPTY_FOLDER)).id)
    before = await scene.snapshot()
    for made, _, done in changes(scene):
        assert isinstance(await made.apply(records.documents, records.intent(other)), done)
        assert await scene.snapshot() == before
    assert await records.documents.usage(other.id) == Usage(0, 1000, 0)


async def test_reads_of_many_workspaces_at_once_get_what_their_own_workspace_has(records: Records) -> None:
    homes, common = [await records.workspace() for _ in range(20)], records.unknown_document()
    own: dict[WorkspaceId, dict[DocumentId, Document]] = {}
    for number, home in enumerate(homes):
        documents = [records.document(home, path=f"{n}", name=f"{number}", size_bytes=number) for n in range(2)]
        # Every workspace has a document of this id.
        documents[0] = replace(documents[0], id=common)
        for document in documents:
            assert await records.create(home, document) == Created(document)
        own[home.id] = {document.id: document for document in documents}
    ids = {document for documents in own.values() for document in documents}
    asked = [(home.id, sought) for sought in ids for home in homes]
    found, usages = await asyncio.gather(
        asyncio.gather(*(records.documents.get(*one) for one in asked)),
        asyncio.gather(*(records.documents.usage(home.id) for home in homes)),
    )
    for (workspace, sought), read in zip(asked, found, strict=True):
        assert (read.document if read else None) == own[workspace].get(sought)
    assert [usage.used_bytes for usage in usages] == [2 * number for number in range(len(homes))]
