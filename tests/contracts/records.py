"""The repositories that the contract suites run on, and what a test makes of them."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.in_process.system import Ulids
from adapters.memory.api_keys import MemoryApiKeys
from adapters.memory.deployments import MemoryDeployments
from adapters.memory.documents import MemoryDocuments
from adapters.memory.ledger import MemoryLedger
from adapters.memory.workspaces import MemoryWorkspaces
from adapters.postgres.api_keys import PostgresApiKeys
from adapters.postgres.database import Database
from adapters.postgres.deployments import PostgresDeployments
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.workspaces import PostgresWorkspaces
from domain.access import Caller, Permission, Workspace
from domain.documents import Changes, Document, Revisions, StoredObject
from domain.entity_links import EntityLink, EntityType
from domain.idempotency import fingerprint
from domain.ids import ApiKeyId, DocumentId, EntityLinkId, UserId, WorkspaceId
from domain.pages import Page
from domain.paths import FolderPath, StoragePath
from domain.rate_limits import Plan
from domain.search import EVERYTHING, DocumentFilter
from ports.api_keys import ApiKeyLookup, ApiKeys
from ports.deployment import Deployments
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.ledger import ObjectLedger
from ports.outcomes import (
    AddLinkOutcome,
    Created,
    DeleteOutcome,
    MoveFolderOutcome,
    PatchOutcome,
    RemoveLinkOutcome,
)
from ports.queries import LinkedDocument
from ports.system import Clock
from ports.workspaces import Workspaces
from tests.clock import StillClock


@dataclass
class Records:
    """The repositories of one technology, and what a test makes of them."""

    workspaces: Workspaces
    keys: ApiKeys
    key_lookup: ApiKeyLookup
    documents: DocumentRepository
    ledger: ObjectLedger
    deployments: Deployments
    clock: StillClock
    new_id: Ulids = field(default_factory=Ulids)

    async def workspace(self, quota_bytes: int = 1000) -> Workspace:
        """A workspace nobody else has."""
        made = Workspace(
            id=WorkspaceId("ws_" + self.new_id(self.clock())),
            name="Acme",
            owner_id=UserId("usr_" + self.new_id(self.clock())),
            plan=Plan.PRO,
            quota_bytes=quota_bytes,
            created_at=self.clock(),
        )
        await self.workspaces.add(made)
        return made

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
    ) -> Document:
        """A document that is not recorded yet."""
        at = self.clock()
        return Document(
            id=DocumentId("doc_" + self.new_id(at)),
            workspace_id=workspace.id,
            name=name,
            description=description,
            mime_type=mime_type,
            storage_path=StoragePath(f"workspaces/{workspace.id}/{path}"),
            stored=StoredObject(size_bytes=size_bytes, etag="e1", sha256="ab" * 32, version_id=None),
            folder=None if folder is None else FolderPath(folder),
            tags=tags,
            revision=1,
            created_by=workspace.owner_id,
            created_by_key=ApiKeyId("key_" + self.new_id(at)),
            created_at=at,
            updated_at=at,
        )

    async def recorded(self, workspace: Workspace, **members: Any) -> Document:
        """A document that is recorded, where nothing else is said at a path that no other has."""
        path = f"documents/{self.new_id(self.clock())}"
        document = self.document(workspace, **{"path": path, **members})
        assert await self.documents.create(document, self.intent(workspace)) == Created(document)
        return document

    def link(
        self, document: DocumentId, entity_type: str = "contact", entity_id: str = "c-1", role: str | None = None
    ) -> EntityLink:
        """A link that is not there yet."""
        at = self.clock()
        return EntityLink(
            id=EntityLinkId("dlnk_" + self.new_id(at)),
            document_id=document,
            entity_type=EntityType(entity_type),
            entity_id=entity_id,
            role=role,
            created_at=at,
        )

    def intent(
        self, workspace: Workspace, key: str | None = None, asks: str = "this", operation: str = "create_document"
    ) -> Intent:
        """A caller's wish to record something, or to have another operation carried out."""
        caller = Caller(
            workspace_id=workspace.id,
            user_id=workspace.owner_id,
            key_id=ApiKeyId("key_" + self.new_id(self.clock())),
            permissions=frozenset(Permission),
            request_id="req_1",
        )
        return Intent(
            operation=operation,
            caller=caller,
            idempotency_key=key,
            fingerprint=fingerprint(operation, workspace.id, {"name": asks}),
        )

    async def patch(
        self, workspace: Workspace, document: DocumentId, expected_revisions: Revisions | None = None, **changes: Any
    ) -> PatchOutcome:
        """Change what is named."""
        return await self.documents.patch(
            document,
            Changes(**changes),
            expected_revisions=expected_revisions,
            at=self.clock(),
            intent=self.intent(workspace, operation="patch_document"),
        )

    async def delete(
        self,
        workspace: Workspace,
        document: DocumentId,
        key: str | None = None,
        expected_revisions: Revisions | None = None,
    ) -> DeleteOutcome:
        """Delete a document."""
        return await self.documents.delete(
            document,
            expected_revisions=expected_revisions,
            at=self.clock(),
            intent=self.intent(workspace, key, document, "delete_document"),
        )

    async def add_link(self, workspace: Workspace, link: EntityLink, key: str | None = None) -> AddLinkOutcome:
        """Link a document. Every link of it to the same thing is the same intent."""
        asks = f"{link.document_id} {link.entity_type} {link.entity_id}"
        return await self.documents.add_link(link, intent=self.intent(workspace, key, asks, "link_document"))

    async def remove_link(
        self, workspace: Workspace, document: DocumentId, link: EntityLinkId, key: str | None = None
    ) -> RemoveLinkOutcome:
        """Remove a link of a document."""
        intent = self.intent(workspace, key, f"{document} {link}", "unlink_document")
        return await self.documents.remove_link(document, link, at=self.clock(), intent=intent)

    async def move(self, workspace: Workspace, source: str, target: str) -> MoveFolderOutcome:
        """Give a folder another path."""
        intent = self.intent(workspace, operation="move_folder")
        return await self.documents.move_folder(FolderPath(source), FolderPath(target), at=self.clock(), intent=intent)

    async def now(self, workspace: Workspace, document: Document) -> Document | None:
        """The document as it is recorded now."""
        found = await self.documents.get(workspace.id, document.id)
        return None if found is None else found.document

    async def all(self, workspace: Workspace, wanted: DocumentFilter = EVERYTHING) -> tuple[Document, ...]:
        """Every document, or every one of a filter, newest first."""
        found = await self.documents.find(workspace.id, wanted, Page(1, 10_000))
        assert not found.more
        assert found.total == len(found.documents)
        return found.documents

    async def linked(
        self, workspace: Workspace, entity_type: str = "contact", entity_id: str = "c-1", role: str | None = None
    ) -> tuple[LinkedDocument, ...]:
        """Every document that belongs to something, the last linked first."""
        found = await self.documents.linked(workspace.id, EntityType(entity_type), entity_id, role, Page(1, 1000))
        assert found.total == len(found.rows)
        return found.rows

    async def tags(self, workspace: Workspace) -> dict[str, int]:
        """Every tag, in their order, and how many documents have it."""
        found = await self.documents.tags(workspace.id, Page(1, 1000))
        assert found.total == len(found.rows)
        return {row.tag: row.documents for row in found.rows}

    async def folders(self, workspace: Workspace, parent: str | None = None) -> dict[str, int]:
        """Every folder below one, or of all, and the number of documents in it and below it."""
        at = None if parent is None else FolderPath(parent)
        found = await self.documents.folders(workspace.id, at, Page(1, 1000))
        assert found.total == len(found.rows)
        counts: dict[str, int] = {row.folder: row.documents for row in found.rows}
        for folder in [*counts]:
            counts |= await self.folders(workspace, folder)
        return counts


def moved(document: Document, folder: str) -> Document:
    """The same document in another folder."""
    return replace(document, folder=FolderPath(folder))


def _taking_turns(*methods: Any) -> Any:
    """Call one of the methods after the other."""
    cycle = itertools.cycle(methods)

    def call(*arguments: Any, **named: Any) -> Any:
        return next(cycle)(*arguments, **named)

    return call


class InTurns(PostgresDocuments):
    """Two repositories that know nothing of each other, as in two processes: every other create or change to each."""

    def __init__(self, database: Database, now: Clock) -> None:
        super().__init__(database, now)
        other = PostgresDocuments(database, now)
        for name in ("create", "patch", "delete", "add_link", "remove_link", "move_folder"):
            setattr(self, name, _taking_turns(getattr(self, name), getattr(other, name)))


def memory_records(clock: StillClock) -> Records:
    """Everything in memory."""
    workspaces = MemoryWorkspaces()
    documents = MemoryDocuments(workspaces, clock)
    keys = MemoryApiKeys(workspaces, clock)
    return Records(workspaces, keys, keys, documents, MemoryLedger(documents), MemoryDeployments(), clock)


def postgres_records(database: Database, clock: StillClock, documents: DocumentRepository | None = None) -> Records:
    """Everything in Postgres."""
    keys = PostgresApiKeys(database, clock)
    return Records(
        PostgresWorkspaces(database),
        keys,
        keys,
        documents or PostgresDocuments(database, clock),
        PostgresLedger(database),
        PostgresDeployments(database),
        clock,
    )
