"""`Records`: the repositories of one technology, with what the tests do most often."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from adapters.in_process.system import Ulids
from domain.access import ApiKey, Permission, Workspace, api_key_digest
from domain.documents import Changes, Document, StoredObject
from domain.entity_links import EntityLink, EntityType
from domain.idempotency import fingerprint
from domain.ids import ApiKeyId, DocumentId, EntityLinkId, UserId, WorkspaceId
from domain.pages import Page
from domain.paths import FolderPath, StoragePath
from domain.preconditions import UNCONDITIONAL, Precondition
from domain.rate_limits import Plan, Tier
from domain.search import EVERYTHING, DocumentFilter
from domain.use_cases import UseCases
from ports.api_keys import ApiKeyAdded, ApiKeys
from ports.deployment import Deployments
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.ledger import IssuedUpload, ObjectLedger, PathState
from ports.outcomes import (
    AddLinkOutcome,
    Created,
    CreateOutcome,
    DeleteFolderOutcome,
    DeleteOutcome,
    IssueOutcome,
    MoveFolderOutcome,
    OverQuota,
    PatchOutcome,
    PathTaken,
    RemoveLinkOutcome,
    UploadIssued,
)
from ports.queries import LinkedDocument
from ports.retention import Retention
from ports.storage import ListedObject, ObjectStorage
from ports.workspaces import Workspaces
from tests.clock import StillClock
from tests.domain.samples import CALLER
from tests.domain.world import PLANS
from tests.memory import memory_ports

HASHING_KEY = bytes(32)
"""The secret with which the adapters hash idempotency keys."""

REPOSITORIES = ("workspaces", "api_keys", "documents", "ledger", "retention", "deployments")
"""The fields of `Ports` that a database supplies."""


@dataclass
class Records:
    """The repositories of one technology and their clock: what a new database supplies.

    The methods make values with sensible defaults and call the repositories with them.
    """

    workspaces: Workspaces
    api_keys: ApiKeys
    documents: DocumentRepository
    ledger: ObjectLedger
    retention: Retention
    deployments: Deployments
    clock: StillClock
    new_id: Ulids = field(default_factory=Ulids)

    def use_cases(self, storage: ObjectStorage) -> UseCases:
        """Return every use case on these repositories and this store. All other ports are in memory."""
        repositories = {name: getattr(self, name) for name in REPOSITORIES}
        return UseCases.of(replace(memory_ports(self.clock), storage=storage, **repositories), PLANS)

    async def workspace(self, quota_bytes: int = 1000) -> Workspace:
        workspace = Workspace(
            id=self.unknown_workspace(),
            name="Acme",
            owner_id=UserId("usr_" + self.new_id(self.clock())),
            plan=Plan.PRO,
            quota_bytes=quota_bytes,
            created_at=self.clock(),
        )
        await self.workspaces.add(workspace)
        return workspace

    def document(
        self,
        workspace: Workspace,
        *,
        path: str = "documents/a.pdf",
        size_bytes: int = 10,
        folder: str | None = None,
        name: str = "a.pdf",
        description: str | None = "Zeile 1\nZeile 2 \N{GRINNING FACE}",
        mime_type: str = "application/pdf",
        tags: tuple[str, ...] = ("nda", "Ü"),
        sha256: str | None = "ab" * 32,
    ) -> Document:
        """Return a document that is not recorded yet."""
        at = self.clock()
        return Document(
            id=self.unknown_document(),
            workspace_id=workspace.id,
            name=name,
            description=description,
            mime_type=mime_type,
            storage_path=self.path(workspace, path),
            stored=StoredObject(size_bytes=size_bytes, etag="e1", sha256=sha256, version_id=None),
            folder=None if folder is None else FolderPath(folder),
            tags=tags,
            revision=1,
            created_by=workspace.owner_id,
            created_by_key=ApiKeyId("key_" + self.new_id(at)),
            created_at=at,
            updated_at=at,
        )

    def link(
        self, document: DocumentId, entity_type: str = "contact", entity_id: str = "c-1", role: str | None = None
    ) -> EntityLink:
        """Return an entity link that is not added yet."""
        at = self.clock()
        return EntityLink(
            id=EntityLinkId("dlnk_" + self.new_id(at)),
            document_id=document,
            entity_type=EntityType(entity_type),
            entity_id=entity_id,
            role=role,
            created_at=at,
        )

    def api_key(self, workspace: Workspace, name: str = "", *permissions: Permission) -> ApiKey:
        """Return an API key that is not added yet and expires after a day."""
        at = self.clock()
        id_ = ApiKeyId("key_" + self.new_id(at))
        return ApiKey(
            id=id_,
            workspace_id=workspace.id,
            user_id=workspace.owner_id,
            name=name or f"Ümlaut \N{GRINNING FACE} {id_}",
            description="Zeile 1\nZeile 2",
            prefix="wbk_1234",
            digest=api_key_digest(id_),
            permissions=frozenset(permissions) or frozenset({Permission.READ_DOCUMENTS, Permission.WRITE_DOCUMENTS}),
            tier=Tier.HIGH,
            created_at=at,
            expires_at=at + timedelta(days=1),
            revoked_at=None,
        )

    def intent(
        self, workspace: Workspace, key: str | None = None, asks: str = "this", operation: str = "create_document"
    ) -> Intent:
        """Return an intent with the idempotency key `key`. Intents that differ in `asks` are different requests."""
        key_id = ApiKeyId("key_" + self.new_id(self.clock()))
        caller = replace(CALLER, workspace_id=workspace.id, user_id=workspace.owner_id, key_id=key_id)
        return Intent(
            operation=operation,
            caller=caller,
            idempotency_key=key,
            fingerprint=fingerprint(operation, workspace.id, {"name": asks}),
        )

    def path(self, workspace: Workspace, path: str) -> StoragePath:
        return StoragePath(f"workspaces/{workspace.id}/{path}")

    def unknown_workspace(self) -> WorkspaceId:
        """Return a workspace id that no workspace has."""
        return WorkspaceId("ws_" + self.new_id(self.clock()))

    def unknown_document(self) -> DocumentId:
        """Return a document id that no document has."""
        return DocumentId("doc_" + self.new_id(self.clock()))

    async def recorded(self, workspace: Workspace, **members: Any) -> Document:
        """Return a recorded document, by default at a path of its own."""
        path = f"documents/{self.new_id(self.clock())}"
        document = self.document(workspace, **{"path": path, **members})
        assert await self.create(workspace, document) == Created(document)
        return document

    async def linked_to(self, workspace: Workspace, document: Document, **members: Any) -> EntityLink:
        link = self.link(document.id, **members)
        await self.add_link(workspace, link)
        return link

    async def added(self, workspace: Workspace, name: str = "", *permissions: Permission) -> ApiKey:
        key = self.api_key(workspace, name, *permissions)
        assert await self.api_keys.add(key) == ApiKeyAdded()
        return key

    async def create(self, workspace: Workspace, document: Document, key: str | None = None) -> CreateOutcome:
        return await self.documents.create(document, self.intent(workspace, key))

    async def patch(
        self,
        workspace: Workspace,
        document: DocumentId,
        precondition: Precondition = UNCONDITIONAL,
        key: str | None = None,
        **changes: Any,
    ) -> PatchOutcome:
        intent = self.intent(workspace, key, document, "patch_document")
        return await self.documents.patch(
            document, Changes(**changes), precondition=precondition, at=self.clock(), intent=intent
        )

    async def delete(
        self,
        workspace: Workspace,
        document: DocumentId,
        key: str | None = None,
        precondition: Precondition = UNCONDITIONAL,
    ) -> DeleteOutcome:
        intent = self.intent(workspace, key, document, "delete_document")
        return await self.documents.delete(document, precondition=precondition, at=self.clock(), intent=intent)

    async def add_link(self, workspace: Workspace, link: EntityLink, key: str | None = None) -> AddLinkOutcome:
        """Add an entity link. Links of one document to one entity have one fingerprint."""
        asks = f"{link.document_id} {link.entity_type} {link.entity_id}"
        return await self.documents.add_link(link, intent=self.intent(workspace, key, asks, "link_document"))

    async def remove_link(
        self, workspace: Workspace, document: DocumentId, link: EntityLinkId, key: str | None = None
    ) -> RemoveLinkOutcome:
        intent = self.intent(workspace, key, f"{document} {link}", "unlink_document")
        return await self.documents.remove_link(document, link, at=self.clock(), intent=intent)

    async def move(self, workspace: Workspace, source: str, target: str, key: str | None = None) -> MoveFolderOutcome:
        intent = self.intent(workspace, key, f"{source} {target}", "move_folder")
        return await self.documents.move_folder(FolderPath(source), FolderPath(target), at=self.clock(), intent=intent)

    async def delete_folder(self, workspace: Workspace, folder: str, key: str | None = None) -> DeleteFolderOutcome:
        intent = self.intent(workspace, key, folder, "delete_folder")
        return await self.documents.delete_folder(FolderPath(folder), at=self.clock(), intent=intent)

    async def usage(self, workspace: Workspace) -> tuple[int, int]:
        """Return the used and the reserved bytes."""
        found = await self.documents.usage(workspace.id)
        return found.used_bytes, found.reserved_bytes

    async def current(self, document: Document) -> Document | None:
        """Return the document as it is recorded now."""
        found = await self.documents.get(document.workspace_id, document.id)
        return None if found is None else found.document

    async def all(self, workspace: Workspace, wanted: DocumentFilter = EVERYTHING) -> tuple[Document, ...]:
        """Return every document that passes the filter, newest first."""
        found = await self.documents.find(workspace.id, wanted, Page(1, 10_000))
        assert not found.more
        assert found.total == len(found.documents)
        return found.documents

    async def linked(
        self, workspace: Workspace, entity_type: str = "contact", entity_id: str = "c-1", role: str | None = None
    ) -> tuple[LinkedDocument, ...]:
        """Return every document linked to an entity, the newest link first."""
        found = await self.documents.linked(workspace.id, EntityType(entity_type), entity_id, role, Page(1, 1000))
        assert found.total == len(found.rows)
        return found.rows

    async def tags(self, workspace: Workspace) -> dict[str, int]:
        """Return every tag, in their order, with its number of documents."""
        found = await self.documents.tags(workspace.id, Page(1, 1000))
        assert found.total == len(found.rows)
        return {row.tag: row.documents for row in found.rows}

    async def children(self, workspace: Workspace, parent: str | None = None) -> dict[str, int]:
        """Return the folders one level below `parent`, in their order, with the number of documents in and below."""
        at = None if parent is None else FolderPath(parent)
        found = await self.documents.folders(workspace.id, at, Page(1, 1000))
        assert found.total == len(found.rows)
        return {row.folder: row.documents for row in found.rows}

    async def folders(self, workspace: Workspace, parent: str | None = None) -> dict[str, int]:
        """Return every folder below `parent`, at any depth, with the number of documents in and below."""
        counts = await self.children(workspace, parent)
        for folder in [*counts]:
            counts |= await self.folders(workspace, folder)
        return counts

    async def states(self, workspace: Workspace, *paths: StoragePath) -> list[PathState | None]:
        """Return the state of each path in the ledger."""
        known = await self.ledger.states(paths)
        return [known.get(path) for path in paths]

    def upload(self, workspace: Workspace, path: str, reserved_bytes: int, minutes: int = 60) -> IssuedUpload:
        """Return an upload that is not issued yet. Its reservation ends some minutes from now."""
        return IssuedUpload(
            workspace_id=workspace.id,
            path=self.path(workspace, path),
            reserved_bytes=reserved_bytes,
            held_until=self.clock() + timedelta(minutes=minutes),
        )

    async def issue(self, workspace: Workspace, path: str, reserved_bytes: int) -> IssueOutcome:
        return await self.documents.issue_upload(self.upload(workspace, path, reserved_bytes))

    async def reserve(
        self, workspace: Workspace, path: str, reserved_bytes: int
    ) -> UploadIssued | OverQuota | PathTaken:
        return await self.ledger.reserve(self.upload(workspace, path, reserved_bytes))

    async def overdue(self, workspace: Workspace) -> list[IssuedUpload]:
        """Return the uploads of the workspace that are overdue now, in the order of their paths."""
        pages = [page async for page in self.ledger.overdue_uploads(self.clock())]
        found = [upload for page in pages for upload in page if upload.workspace_id == workspace.id]
        return sorted(found, key=lambda upload: upload.path)

    async def settle(self, workspace: Workspace, found: Mapping[StoragePath, int | None]) -> None:
        at = self.clock()
        await self.ledger.settle_uploads(workspace.id, found, at, at + timedelta(days=1))

    async def condemn(self, workspace: Workspace, *paths: StoragePath) -> list[StoragePath]:
        """Condemn the paths of objects that a listing shows; return those that are condemned now."""
        at = self.clock()
        objects = [ListedObject(key=path, size_bytes=1, etag="e", modified_at=at) for path in paths]
        return list(await self.ledger.condemn(workspace.id, objects, at))

    async def finalise(self, workspace: Workspace, condemned_before: datetime, *paths: StoragePath) -> None:
        await self.ledger.finalise(workspace.id, paths, condemned_before)

    async def condemned(self, workspace: Workspace, due_at: datetime | None = None) -> list[StoragePath]:
        """Return the condemned paths of the workspace; with `due_at`, those that are due then."""
        pages = [page async for page in self.ledger.condemned(due_at)]
        return [item.path for page in pages for item in page if item.workspace_id == workspace.id]


def new_key() -> str:
    return str(uuid4())


def only(*states: str) -> Precondition:
    """Return the precondition that a document is in one of these states."""
    return Precondition(allowed=frozenset(states))


def none_of(*states: str) -> Precondition:
    """Return the precondition that a document is in none of these states."""
    return Precondition(refused=frozenset(states))


def revised(document: Document, times: int = 1) -> Document:
    """Return the same document, some revisions later: each new and each removed entity link adds one."""
    return replace(document, revision=document.revision + times)


def moved(document: Document, folder: str) -> Document:
    """Return the same document in another folder."""
    return replace(document, folder=FolderPath(folder))
