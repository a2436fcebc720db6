"""The repositories that the contract suites run on, and what a test makes of them."""

import itertools
from dataclasses import dataclass, field

from adapters.memory.deployments import MemoryDeployments
from adapters.memory.documents import MemoryDocuments
from adapters.memory.keys import MemoryApiKeys
from adapters.memory.ledger import MemoryLedger
from adapters.memory.workspaces import MemoryWorkspaces
from adapters.postgres.database import Database
from adapters.postgres.deployments import PostgresDeployments
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.keys import PostgresApiKeys
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.workspaces import PostgresWorkspaces
from adapters.system import Ulids
from domain.access import Caller, Permission, Plan, Workspace
from domain.documents import Document, StoredObject
from domain.idempotency import fingerprint
from domain.ids import DocumentId, KeyId, UserId, WorkspaceId
from domain.paths import FolderPath, StoragePath
from ports.deployment import Deployments
from ports.documents import DocumentRepository, Outcome
from ports.intents import Intent
from ports.keys import ApiKeys
from ports.ledger import ObjectLedger
from ports.system import Clock
from ports.workspaces import Workspaces
from tests.clock import StillClock


@dataclass
class Records:
    """The repositories of one technology, and what a test makes of them."""

    workspaces: Workspaces
    keys: ApiKeys
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
    ) -> Document:
        """A document that is not recorded yet."""
        at = self.clock()
        return Document(
            id=DocumentId("doc_" + self.new_id(at)),
            workspace_id=workspace.id,
            name=name,
            description="Zeile 1\nZeile 2 \N{GRINNING FACE}",
            mime_type="application/pdf",
            storage_path=StoragePath(f"workspaces/{workspace.id}/{path}"),
            stored=StoredObject(size_bytes=size_bytes, etag="e1", sha256="ab" * 32, version_id=None),
            folder=None if folder is None else FolderPath(folder),
            tags=("nda", "Ü"),
            revision=1,
            created_by=workspace.owner_id,
            created_by_key=KeyId("key_" + self.new_id(at)),
            created_at=at,
            updated_at=at,
        )

    def intent(self, workspace: Workspace, key: str | None = None, asks: str = "this") -> Intent:
        """A caller's wish to record something."""
        caller = Caller(
            workspace_id=workspace.id,
            user_id=workspace.owner_id,
            key_id=KeyId("key_" + self.new_id(self.clock())),
            permissions=frozenset(Permission),
            request_id="req_1",
        )
        return Intent(
            operation="create_document",
            caller=caller,
            key=key,
            fingerprint=fingerprint("create_document", workspace.id, {"name": asks}),
        )


class InTurns(PostgresDocuments):
    """Two repositories that know nothing of each other, as in two processes: every other create goes to each."""

    def __init__(self, database: Database, now: Clock) -> None:
        super().__init__(database, now)
        self._turns = itertools.cycle((super().create, PostgresDocuments(database, now).create))

    async def create(self, document: Document, intent: Intent) -> Outcome:
        return await next(self._turns)(document, intent)


def memory_records(clock: StillClock) -> Records:
    """Everything in memory."""
    workspaces = MemoryWorkspaces()
    documents = MemoryDocuments(workspaces, clock)
    return Records(
        workspaces, MemoryApiKeys(workspaces, clock), documents, MemoryLedger(documents), MemoryDeployments(), clock
    )


def postgres_records(database: Database, clock: StillClock, documents: DocumentRepository | None = None) -> Records:
    """Everything in Postgres."""
    return Records(
        PostgresWorkspaces(database),
        PostgresApiKeys(database, clock),
        documents or PostgresDocuments(database, clock),
        PostgresLedger(database),
        PostgresDeployments(database),
        clock,
    )
