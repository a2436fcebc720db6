"""Shorthands for the tests of the filesystem adapter by itself."""

from adapters.filesystem.storage import FilesystemStorage
from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.storage import UploadTerms
from tests.contracts.stores import pieces

PATH = StoragePath("workspaces/ws_1/documents/01/a.txt")
PREFIX = "workspaces/ws_1/"


def terms(path: str = PATH) -> UploadTerms:
    return UploadTerms(path=StoragePath(path), mime_type="text/plain", size_bytes=None, sha256=None)


async def put(storage: FilesystemStorage, path: str = PATH, content: bytes = b"kept") -> StoredObject:
    stored = await storage.write(terms(path), pieces(content))
    assert isinstance(stored, StoredObject)
    return stored


async def keys(storage: FilesystemStorage, prefix: str = PREFIX) -> set[str]:
    return {one.key async for page in storage.list(prefix) for one in page}
