"""The object store in memory. A signed URL contains a token, under which its terms are kept."""

import hashlib
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote

from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.checks import CheckResult, Grade
from ports.storage import (
    AlreadyStored,
    DownloadTerms,
    ListedObject,
    ServedObject,
    SignedRequest,
    UploadMismatch,
    UploadTerms,
)
from ports.system import Clock, Unavailable
from ports.versions import OneVersion

_PIECE = 64 * 1024
_PAGE = 1000

Terms = TypeVar("Terms", UploadTerms, DownloadTerms)


@dataclass(frozen=True, slots=True)
class _Object:
    content: bytes
    stored: StoredObject
    modified_at: datetime


class MemoryStorage(OneVersion):
    """`ServedStorage` in memory, with additional methods for tests that no client could call."""

    binds_unsized_uploads = True

    def __init__(self, public_url: str, now: Clock = lambda: datetime.now(UTC)) -> None:
        self._public_url = public_url
        self._now = now
        self._objects: dict[StoragePath, _Object] = {}
        self._receiving: set[StoragePath] = set()
        self._unfinished: dict[int, tuple[StoragePath, datetime]] = {}
        self._uploads: dict[str, tuple[UploadTerms, datetime]] = {}
        self._downloads: dict[str, tuple[DownloadTerms, datetime]] = {}
        self._numbers = itertools.count(1)
        self._mark: str | None = None

    async def stat(self, path: StoragePath) -> StoredObject | None:
        found = self._objects.get(path)
        return None if found is None else found.stored

    async def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        url = self._sign(self._uploads, terms, expires_at)
        return SignedRequest(method="PUT", url=url, headers={"Content-Type": terms.mime_type}, expires_at=expires_at)

    async def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest | None:
        if await self.stat(terms.path) != terms.stored:
            return None
        url = self._sign(self._downloads, terms, expires_at)
        return SignedRequest(method="GET", url=url, headers={}, expires_at=expires_at)

    async def prepare(self) -> None:
        return None

    async def probe(self) -> None:
        return None

    async def run_checks(self) -> Sequence[CheckResult]:
        return [CheckResult("storage", Grade.OK, "in the memory of this process, lost when it ends")]

    async def list_after(self, positions: Mapping[str, str]) -> AsyncIterator[Sequence[ListedObject]]:
        for prefix, position in positions.items():
            async for page in self.list(prefix):
                if newer := [item for item in page if item.key > position]:
                    yield newer

    async def list(self, prefix: str) -> AsyncIterator[Sequence[ListedObject]]:
        paths = iter([path for path in self._objects if path.startswith(prefix)])
        while page := list(itertools.islice(paths, _PAGE)):
            if listed := [_listed(path, self._objects[path]) for path in page if path in self._objects]:
                yield listed

    async def delete(self, paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        for path in paths:
            self._objects.pop(path, None)
        return ()

    async def discard_unfinished(self, prefix: str, before: datetime) -> int:
        old = [
            number
            for number, (path, began_at) in self._unfinished.items()
            if path.startswith(prefix) and began_at < before
        ]
        for number in old:
            del self._unfinished[number]
        return len(old)

    async def read_mark(self) -> str | None:
        return self._mark

    async def write_mark(self, mark: str, *, replace: bool) -> bool:
        if self._mark is not None and not replace:
            return False
        self._mark = mark
        return True

    def open_upload(self, path: str, query: Mapping[str, str], at: datetime) -> UploadTerms | None:
        return _open(self._uploads, path, query, at)

    def open_download(self, path: str, query: Mapping[str, str], at: datetime) -> DownloadTerms | None:
        return _open(self._downloads, path, query, at)

    @asynccontextmanager
    async def receiving(self, path: StoragePath) -> AsyncIterator[bool]:
        if path in self._receiving:
            yield False
            return
        self._receiving.add(path)
        try:
            yield True
        finally:
            self._receiving.remove(path)

    async def write(
        self, terms: UploadTerms, content: AsyncIterator[bytes]
    ) -> StoredObject | AlreadyStored | UploadMismatch:
        number = self.leave_unfinished(terms.path)
        try:
            received = b""
            async for piece in content:
                received += piece
                if terms.size_bytes is not None and len(received) > terms.size_bytes:
                    break
            if number not in self._unfinished:
                raise Unavailable(f"the upload to {terms.path} was discarded")
            return self._publish(terms, received)
        finally:
            self._unfinished.pop(number, None)

    async def find(self, path: StoragePath) -> ServedObject | None:
        found = self._objects.get(path)
        return None if found is None else ServedObject(found.stored, found.modified_at.replace(microsecond=0))

    async def read(self, terms: DownloadTerms, start: int, stop: int) -> AsyncIterator[bytes]:
        if await self.stat(terms.path) != terms.stored:
            raise Unavailable(f"the bytes of {terms.path} have changed")
        content = self._objects[terms.path].content
        for at in range(start, stop, _PIECE):
            yield content[at : min(at + _PIECE, stop)]

    def swap(self, path: StoragePath, content: bytes | None) -> None:
        """Replace or remove the stored bytes, although no signed URL permits that."""
        if content is None:
            self._objects.pop(path, None)
        else:
            self._objects[path] = _Object(content, _describe(content), self._now())

    def leave_unfinished(self, path: StoragePath) -> int:
        """Begin an upload and do not end it, as if the server had crashed. Return its number."""
        number = next(self._numbers)
        self._unfinished[number] = (path, self._now())
        return number

    def count_unfinished(self) -> int:
        """Return the number of uploads that have begun and not ended."""
        return len(self._unfinished)

    def _publish(self, terms: UploadTerms, content: bytes) -> StoredObject | AlreadyStored | UploadMismatch:
        stored = _describe(content)
        if terms.path in self._objects:
            return AlreadyStored()
        if terms.size_bytes not in (None, stored.size_bytes):
            return UploadMismatch("size_bytes")
        if terms.sha256 not in (None, stored.sha256):
            return UploadMismatch("sha256")
        self._objects[terms.path] = _Object(content, stored, self._now())
        return stored

    def _sign(self, signed: dict[str, tuple[Terms, datetime]], terms: Terms, expires_at: datetime) -> str:
        token = str(next(self._numbers))
        signed[token] = (terms, expires_at)
        return f"{self._public_url}/storage/{quote(terms.path)}?token={token}"


def _open(signed: dict[str, tuple[Terms, datetime]], path: str, query: Mapping[str, str], at: datetime) -> Terms | None:
    if query.keys() != {"token"}:
        return None
    terms, expires_at = signed.get(query["token"], (None, at))
    return terms if terms is not None and terms.path == path and at < expires_at else None


def _listed(path: StoragePath, found: _Object) -> ListedObject:
    return ListedObject(
        key=path, size_bytes=found.stored.size_bytes, etag=found.stored.etag, modified_at=found.modified_at
    )


def _describe(content: bytes) -> StoredObject:
    sha256 = hashlib.sha256(content).hexdigest()
    return StoredObject(size_bytes=len(content), etag=sha256, sha256=sha256)
