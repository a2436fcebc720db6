"""The stores that the contract suites run on: each with what its clients do, and with what no client can do."""

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx

from adapters.filesystem.storage import FilesystemStorage
from adapters.http.asgi import build
from adapters.in_process.system import Ulids
from adapters.memory.storage import MemoryStorage
from domain.ids import WorkspaceId
from domain.paths import StoragePath, workspace_prefix
from domain.rate_limits import Plan, Window
from domain.use_cases import UseCases
from ports.storage import DownloadTerms, ObjectStorage, ServedStorage, SignedRequest, UploadTerms
from tests.memory import memory_ports

PUBLIC_URL = "http://files.test"
# What a path may hold that a URL, a signature or a shell could trip over.
NAME = "documents/it's (a) file+1, 100$.pdf"
TYPE = "application/pdf"
DISPOSITION = 'attachment; filename="a"'

STORED = 200
EXISTS = 412
REFUSED = {400, 401, 403}
"""Which of them a store answers to what a link does not permit is its own affair."""

_new_id = Ulids()


@dataclass
class Store(ABC):
    """A store, a client of it, and a workspace that no other test has: one bucket may serve all of them.

    No mark is in the store when a test begins. `keeps_versions` is whether recorded bytes can still be had after other
    bytes were put in their place, or they were taken away.
    """

    storage: ObjectStorage
    http: httpx.AsyncClient
    workspace: WorkspaceId = field(init=False)
    prefix: str = field(init=False)
    keeps_versions: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        self.workspace = WorkspaceId("ws_" + _new_id(datetime.now(UTC)))
        self.prefix = workspace_prefix(self.workspace)

    def path(self, name: str = NAME) -> StoragePath:
        """A path of this workspace."""
        return StoragePath(self.prefix + name)

    def upload(self, name: str = NAME, *, size_bytes: int | None = None, sha256: str | None = None) -> UploadTerms:
        """The terms of an upload to `path(name)`."""
        return UploadTerms(path=self.path(name), mime_type=TYPE, size_bytes=size_bytes, sha256=sha256)

    async def download(self, name: str = NAME) -> DownloadTerms:
        """The terms of a download of what lies at `path(name)` now."""
        stored = await self.storage.stat(self.path(name))
        assert stored is not None
        return DownloadTerms(path=self.path(name), stored=stored, mime_type=TYPE, disposition=DISPOSITION)

    async def put(self, signed: SignedRequest, content: bytes, *, headers: Mapping[str, str] | None = None) -> int:
        """Send the content, with the headers that were signed or others instead; the status of the answer.

        Its length is announced as it is: no client gets another one past its own HTTP library.
        """
        sent = {
            name: value
            for name, value in (signed.headers if headers is None else headers).items()
            if name.lower() != "content-length"
        }
        return (await self.http.request(signed.method, signed.url, headers=sent, content=content)).status_code

    async def get(self, signed: SignedRequest, *, range: str | None = None) -> httpx.Response:  # noqa: A002
        """Fetch what was signed, all of it or a Range."""
        asked = {} if range is None else {"Range": range}
        return await self.http.request(signed.method, signed.url, headers={**signed.headers, **asked})

    @abstractmethod
    async def swap(self, path: StoragePath, content: bytes | None) -> None:
        """Put other bytes at a path, or take them away, whatever lies there."""

    @abstractmethod
    async def copy(self, path: StoragePath) -> None:
        """Let the same bytes lie there as another object, as after a backup was restored."""

    @abstractmethod
    async def leave_unfinished(self, path: StoragePath) -> None:
        """Leave what is left of an upload to this path when everything stops in the middle of it."""

    @abstractmethod
    async def litter(self) -> int:
        """How many things lie about that are no objects and nobody's: unfinished uploads, what a probe has left."""


@dataclass
class LinkedStore(Store):
    """A store whose signed requests come to us: its client talks to the real application."""

    storage: ServedStorage


@dataclass
class MemoryStore(LinkedStore):
    storage: MemoryStorage

    async def swap(self, path: StoragePath, content: bytes | None) -> None:
        self.storage.swap(path, content)

    async def copy(self, path: StoragePath) -> None:
        """Equal bytes are the same object here."""

    async def leave_unfinished(self, path: StoragePath) -> None:
        self.storage.leave_unfinished(path)

    async def litter(self) -> int:
        return self.storage.count_unfinished()


@dataclass
class FilesystemStore(LinkedStore):
    root: Path

    async def swap(self, path: StoragePath, content: bytes | None) -> None:
        file = self.root / "objects" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink() if content is None else file.write_bytes(content)

    async def copy(self, path: StoragePath) -> None:
        os.utime(self.root / "objects" / path, (1_000_000_000, 1_000_000_000))

    async def leave_unfinished(self, path: StoragePath) -> None:
        """A second name keeps what has come of an upload: its own goes when the upload breaks off."""
        incoming, kept = self.root / "incoming", self.root / "kept"
        before = set(incoming.iterdir())
        began: list[Path] = []

        async def content() -> AsyncIterator[bytes]:
            yield b"x" * 2**20
            began.extend(set(incoming.iterdir()) - before)
            os.link(began[0], kept)
            raise _Stopped

        with suppress(_Stopped):
            await self.storage.write(UploadTerms(path=path, mime_type=TYPE, size_bytes=None, sha256=None), content())
        kept.rename(began[0])

    async def litter(self) -> int:
        return len([*(self.root / "incoming").iterdir(), *(self.root / "objects").glob(".*")])


class _Stopped(Exception):
    pass


@asynccontextmanager
async def linked_store(kind: str, directory: Path) -> AsyncIterator[LinkedStore]:
    """One of the stores whose links we serve."""
    match kind:
        case "memory":
            memory = MemoryStorage(PUBLIC_URL)
            async with _client(memory) as http:
                yield MemoryStore(memory, http)
        case "filesystem":
            storage = FilesystemStorage(directory, PUBLIC_URL, b"secret" * 8)
            await storage.prepare()
            async with _client(storage) as http:
                yield FilesystemStore(storage, http, directory)
        case _:
            raise AssertionError(kind)


@asynccontextmanager
async def _client(storage: ServedStorage) -> AsyncIterator[httpx.AsyncClient]:
    """Who sends signed requests to the real application over this store."""
    ports = replace(memory_ports(public_url=PUBLIC_URL), served_storage=storage)
    use_cases = UseCases.of(ports, dict.fromkeys(Plan, (Window(1000, 60),)))
    transport = httpx.ASGITransport(app=build(use_cases, ports))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport) as http:
        yield http
