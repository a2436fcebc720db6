"""Bytes in a dictionary, links in another: a link is a token, and the token is looked up."""

import hashlib
import itertools
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.storage import DownloadTerms, Exists, Mismatch, SignedRequest, UploadTerms
from ports.system import Unavailable

_PIECE = 64 * 1024

Terms = TypeVar("Terms", UploadTerms, DownloadTerms)


class MemoryStorage:
    """`LinkedStorage` in memory."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url
        self._objects: dict[StoragePath, bytes] = {}
        self._uploads: dict[str, tuple[UploadTerms, datetime]] = {}
        self._downloads: dict[str, tuple[DownloadTerms, datetime]] = {}
        self._tokens = itertools.count(1)

    async def stat(self, path: StoragePath) -> StoredObject | None:
        content = self._objects.get(path)
        return None if content is None else _describe(content)

    async def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        url = self._link(self._uploads, terms, expires_at)
        return SignedRequest(method="PUT", url=url, headers={"Content-Type": terms.mime_type}, expires_at=expires_at)

    async def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest | None:
        if await self.stat(terms.path) != terms.stored:
            return None
        url = self._link(self._downloads, terms, expires_at)
        return SignedRequest(method="GET", url=url, headers={}, expires_at=expires_at)

    async def prepare(self) -> None:
        return None

    async def probe(self) -> None:
        return None

    def open_upload(self, path: str, query: Mapping[str, str], at: datetime) -> UploadTerms | None:
        return _open(self._uploads, path, query, at)

    def open_download(self, path: str, query: Mapping[str, str], at: datetime) -> DownloadTerms | None:
        return _open(self._downloads, path, query, at)

    async def write(self, terms: UploadTerms, content: AsyncIterator[bytes]) -> StoredObject | Exists | Mismatch:
        received = b""
        async for piece in content:
            received += piece
            if terms.size_bytes is not None and len(received) > terms.size_bytes:
                break
        stored = _describe(received)
        if terms.path in self._objects:
            return Exists()
        if terms.size_bytes not in (None, stored.size_bytes):
            return Mismatch("Content-Length", f"must be {terms.size_bytes}, the size this link was made for")
        if terms.sha256 not in (None, stored.sha256):
            return Mismatch("sha256", "of the bytes is not the one this link was made for")
        self._objects[terms.path] = received
        return stored

    async def read(self, terms: DownloadTerms, start: int, stop: int) -> AsyncIterator[bytes]:
        if await self.stat(terms.path) != terms.stored:
            raise Unavailable(f"{terms.path} is no longer what it was")
        content = self._objects[terms.path]
        for at in range(start, stop, _PIECE):
            yield content[at : min(at + _PIECE, stop)]

    def swap(self, path: StoragePath, content: bytes | None) -> None:
        """Swap the bytes, or take them away, as nobody can through a link: for tests of what then happens."""
        if content is None:
            self._objects.pop(path, None)
        else:
            self._objects[path] = content

    def _link(self, links: dict[str, tuple[Terms, datetime]], terms: Terms, expires_at: datetime) -> str:
        token = str(next(self._tokens))
        links[token] = (terms, expires_at)
        return f"{self._public_url}/storage/{quote(terms.path)}?token={token}"


def _open(links: dict[str, tuple[Terms, datetime]], path: str, query: Mapping[str, str], at: datetime) -> Terms | None:
    if query.keys() != {"token"}:
        return None
    terms, expires_at = links.get(query["token"], (None, at))
    return terms if terms is not None and terms.path == path and at < expires_at else None


def _describe(content: bytes) -> StoredObject:
    sha256 = hashlib.sha256(content).hexdigest()
    return StoredObject(size_bytes=len(content), etag=sha256, sha256=sha256)
