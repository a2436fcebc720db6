"""`Store`: an object store with an HTTP client of it, and with operations that no client can perform."""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import httpx

from adapters.filesystem.incoming import new_name
from adapters.filesystem.storage import FilesystemStorage
from adapters.http.asgi import build
from adapters.in_process.system import Ulids, utc_now
from adapters.memory.documents import MemoryDocuments
from adapters.memory.ledger import MemoryLedger
from adapters.memory.storage import MemoryStorage
from adapters.memory.workspaces import MemoryWorkspaces
from domain.access import Workspace
from domain.documents import StoredObject
from domain.ids import UserId, WorkspaceId
from domain.paths import StoragePath, workspace_prefix
from domain.rate_limits import Plan, Window
from domain.use_cases import UseCases
from ports.storage import DownloadTerms, ObjectStorage, ServedStorage, SignedRequest, UploadTerms
from tests.memory import memory_ports

PUBLIC_URL = "http://files.test"
NAME = "documents/it's (a) file+1, 100$.pdf"
"""A name with characters that need care in a URL, a signature or a shell."""
TYPE = "application/pdf"
DISPOSITION = 'attachment; filename="a"'
CONTENT = b"Hello, bytes!" * 100_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()

STORED = 200
EXISTS = 412
REFUSED = {400, 401, 403}
"""Statuses for a request that the signed URL does not permit. Each store chooses its own."""

_new_id = Ulids()


@dataclass
class Store(ABC):
    """An adapter with an HTTP client. A new object store supplies both, `page_limit` and the four abstract methods.

    Each test gets a workspace of its own, because one bucket may serve all tests. When a test begins, the store has no
    mark. `keeps_versions`: recorded bytes can be downloaded after they were replaced or deleted behind Dossier's back.
    `page_limit` is the name of the variable with the number of objects in a page of a listing.
    """

    storage: ObjectStorage
    http: httpx.AsyncClient
    page_limit: ClassVar[str]
    workspace: WorkspaceId = field(init=False)
    prefix: str = field(init=False)
    keeps_versions: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        self.use_workspace(WorkspaceId("ws_" + _new_id(datetime.now(UTC))))

    def use_workspace(self, workspace: WorkspaceId) -> None:
        """Make paths and terms for this workspace from now on."""
        self.workspace, self.prefix = workspace, workspace_prefix(workspace)

    @abstractmethod
    async def replace(self, path: StoragePath, content: bytes | None) -> None:
        """Store other bytes at a path, or delete its object, without the port."""

    @abstractmethod
    async def restore_copy(self, path: StoragePath) -> None:
        """Store the same bytes as a new object, as restoring a backup does."""

    @abstractmethod
    async def leave_unfinished(self, path: StoragePath) -> None:
        """Leave in the store what remains of an upload to this path if the machine stops in the middle of it."""

    @abstractmethod
    async def count_leftovers(self) -> int:
        """Return the number of unfinished uploads and of objects that a probe or check left behind."""

    def path(self, name: str = NAME) -> StoragePath:
        """Return a path of this workspace."""
        return StoragePath(self.prefix + name)

    def terms(self, name: str = NAME, *, size_bytes: int | None = None, sha256: str | None = None) -> UploadTerms:
        """Return the terms of an upload to `path(name)`."""
        return UploadTerms(path=self.path(name), mime_type=TYPE, size_bytes=size_bytes, sha256=sha256)

    async def sign_upload(
        self, name: str = NAME, *, size_bytes: int | None = None, sha256: str | None = None
    ) -> SignedRequest:
        """Sign an upload that may begin within 15 minutes."""
        return await self.storage.sign_upload(self.terms(name, size_bytes=size_bytes, sha256=sha256), soon())

    async def stored(self, name: str = NAME) -> StoredObject:
        """Return the object at `path(name)`, which must exist."""
        found = await self.storage.stat(self.path(name))
        assert isinstance(found, StoredObject)
        return found

    async def download_terms(self, name: str = NAME) -> DownloadTerms:
        """Return the terms of a download of the object that is at `path(name)` now."""
        return DownloadTerms(
            path=self.path(name), stored=await self.stored(name), mime_type=TYPE, disposition=DISPOSITION
        )

    async def sign_download(self, terms: DownloadTerms | None = None) -> SignedRequest:
        """Sign a download, by default of the object at `path()`."""
        signed = await self.storage.sign_download(terms or await self.download_terms(), soon())
        assert signed is not None
        return signed

    async def upload(self, content: bytes = CONTENT, name: str = NAME) -> None:
        """Upload with length and checksum declared, so that every store knows the checksum."""
        signed = await self.sign_upload(name, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        assert await self.put(signed, content) == STORED

    async def put(self, signed: SignedRequest, content: bytes, *, headers: Mapping[str, str] | None = None) -> int:
        """Send the content with the signed headers, or with `headers` instead, and return the status.

        The announced length is the real one: HTTP client libraries do not let another one pass.
        """
        given = signed.headers if headers is None else headers
        sent = {name: value for name, value in given.items() if name.lower() != "content-length"}
        return (await self.http.request(signed.method, signed.url, headers=sent, content=content)).status_code

    async def get(self, signed: SignedRequest, *, range: str | None = None) -> httpx.Response:  # noqa: A002
        """Send a signed download, of all bytes or of a Range."""
        more = {} if range is None else {"Range": range}
        return await self.http.request(signed.method, signed.url, headers={**signed.headers, **more})


def soon() -> datetime:
    """Return a time until which a URL that is signed now stays valid during the test."""
    return datetime.now(UTC) + timedelta(minutes=15)


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    """Yield the content as a request body arrives."""
    for start in range(0, len(content), 65536):
        yield content[start : start + 65536]


@dataclass
class ServedStore(Store):
    """A store whose signed URLs lead to Dossier: its client talks to the real application."""

    storage: ServedStorage


@dataclass
class MemoryStore(ServedStore):
    storage: MemoryStorage
    page_limit = "adapters.memory.storage._PAGE"

    async def replace(self, path: StoragePath, content: bytes | None) -> None:
        self.storage.swap(path, content)

    async def restore_copy(self, path: StoragePath) -> None:
        """Do nothing: in memory, equal bytes are the same object."""

    async def leave_unfinished(self, path: StoragePath) -> None:
        self.storage.leave_unfinished(path)

    async def count_leftovers(self) -> int:
        return self.storage.count_unfinished()


@dataclass
class FilesystemStore(ServedStore):
    storage: FilesystemStorage
    root: Path
    page_limit = "adapters.filesystem.storage._PAGE"

    async def replace(self, path: StoragePath, content: bytes | None) -> None:
        file = self.root / "objects" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink() if content is None else file.write_bytes(content)

    async def restore_copy(self, path: StoragePath) -> None:
        os.utime(self.root / "objects" / path, (1_000_000_000, 1_000_000_000))

    async def leave_unfinished(self, path: StoragePath) -> None:
        (self.root / "incoming" / new_name(path)).write_bytes(b"x" * 2**20)

    async def count_leftovers(self) -> int:
        return len([*(self.root / "incoming").iterdir(), *(self.root / "objects").glob(".*")])


@asynccontextmanager
async def memory_store() -> AsyncIterator[MemoryStore]:
    """Open an empty store in memory."""
    storage = MemoryStorage(PUBLIC_URL)
    async with _client(storage) as http:
        yield MemoryStore(storage, http)


@asynccontextmanager
async def filesystem_store(directory: Path) -> AsyncIterator[FilesystemStore]:
    """Open an empty store in a directory."""
    storage = FilesystemStorage(directory, PUBLIC_URL, b"secret" * 8)
    await storage.prepare()
    async with _client(storage) as http:
        yield FilesystemStore(storage, http, directory)


class _EveryWorkspace(MemoryWorkspaces):
    """Workspaces with room, so that a test of a store needs none of its own."""

    async def get(self, workspace: WorkspaceId) -> Workspace:
        return Workspace(
            id=workspace,
            name="Acme",
            owner_id=UserId("usr_1"),
            plan=Plan.PRO,
            quota_bytes=2**60,
            created_at=datetime.now(UTC),
        )


@asynccontextmanager
async def _client(storage: ServedStorage) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the real application over this store."""
    ledger = MemoryLedger(MemoryDocuments(_EveryWorkspace(), utc_now))
    ports = replace(memory_ports(public_url=PUBLIC_URL), served_storage=storage, ledger=ledger)
    use_cases = UseCases.of(ports, dict.fromkeys(Plan, (Window(1000, 60),)))
    transport = httpx.ASGITransport(app=build(use_cases, ports))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport) as http:
        yield http
