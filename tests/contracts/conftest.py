"""Every port on every adapter: one parametrised fixture each, the adapter's name in the report."""

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.filesystem import FilesystemStorage
from adapters.memory.documents import MemoryDocuments
from adapters.memory.keys import MemoryApiKeys
from adapters.memory.storage import MemoryStorage
from adapters.memory.workspaces import MemoryWorkspaces
from adapters.postgres.database import Database
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.keys import PostgresApiKeys
from adapters.postgres.workspaces import PostgresWorkspaces
from adapters.system import Ulids
from domain.access import Caller, Permission, Plan, Workspace
from domain.documents import Document, StoredObject
from domain.idempotency import fingerprint
from domain.ids import DocumentId, KeyId, UserId, WorkspaceId
from domain.paths import FolderPath, StoragePath
from ports.documents import DocumentRepository, Intent, Outcome
from ports.keys import ApiKeys
from ports.storage import LinkedStorage
from ports.system import Clock
from ports.workspaces import Workspaces
from tests.clock import StillClock

PUBLIC_URL = "http://files.test"


@dataclass
class Records:
    """The repositories of one technology, and what a test makes of them."""

    workspaces: Workspaces
    keys: ApiKeys
    documents: DocumentRepository
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


@pytest.fixture(params=["memory", "postgres", "postgres from two processes"])
def records(request: pytest.FixtureRequest) -> Records:
    """Workspaces, keys and documents, on each adapter."""
    clock = StillClock()
    match request.param:
        case "memory":
            workspaces = MemoryWorkspaces()
            return Records(workspaces, MemoryApiKeys(workspaces), MemoryDocuments(workspaces, clock), clock)
        case kind:
            database = request.getfixturevalue("database")
            documents = PostgresDocuments if kind == "postgres" else InTurns
            return Records(PostgresWorkspaces(database), PostgresApiKeys(database), documents(database, clock), clock)


@dataclass
class Store:
    """A store, and what nobody can do to it through a link."""

    storage: LinkedStorage
    swap: Callable[[StoragePath, bytes | None], None]
    """Put other bytes at a path, or take them away."""
    copy: Callable[[StoragePath], None]
    """Let the same bytes lie there as another file, as after a backup was restored."""
    litter: Callable[[], int]
    """How many files lie about that are nobody's."""


@pytest.fixture(params=["memory", "filesystem"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """The object store, on each adapter."""
    if request.param == "memory":
        memory = MemoryStorage(PUBLIC_URL)
        return Store(memory, memory.swap, lambda path: None, lambda: 0)

    def swap(path: StoragePath, content: bytes | None) -> None:
        file = tmp_path / "objects" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink() if content is None else file.write_bytes(content)

    def copy(path: StoragePath) -> None:
        os.utime(tmp_path / "objects" / path, (1_000_000_000, 1_000_000_000))

    def litter() -> int:
        return sum(1 for _ in (tmp_path / "incoming").iterdir())

    storage = FilesystemStorage(tmp_path, PUBLIC_URL, b"secret" * 8)
    await storage.prepare()
    return Store(storage, swap, copy, litter)
