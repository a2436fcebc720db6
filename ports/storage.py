"""The object store, and the signed requests with which clients reach it directly."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.checks import CheckResult
from ports.versions import ObjectVersions


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A request that needs no API key until `expires_at`: `method` to `url`, with exactly `headers`."""

    method: str
    url: str
    headers: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadTerms:
    """The terms of an upload that its signature covers: always the path and the media type, and if given the length in
    bytes and the SHA-256 (hex)."""

    path: StoragePath
    mime_type: str
    size_bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadTerms:
    """The terms of a signed download: it returns exactly the bytes of `stored`, with this media type and
    Content-Disposition."""

    path: StoragePath
    stored: StoredObject
    mime_type: str
    disposition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedObject:
    """An object in a listing. Its object key may be one at which no document can be recorded. `etag` is opaque."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An object of which readers would get other bytes than those that are stored, or none.

    `why` is the rest of a sentence that begins with the object, such as "has the header Content-Encoding: gzip, …".
    """

    why: str


class ObjectStorage(ObjectVersions, Protocol):
    """The bytes of all workspaces. Every method raises `Unavailable` if the store cannot be reached in time.

    `binds_unsized_uploads`: an upload whose size was not declared is bounded while it is received. A presigned URL of
    S3 binds a declared length only.
    """

    @property
    def binds_unsized_uploads(self) -> bool: ...

    async def stat(self, path: StoragePath) -> StoredObject | Unreadable | None:
        """Return the object at the path; `None` if there is none."""
        ...

    async def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        """Return a signed PUT. It stores an object at a free path and can never replace an existing object."""
        ...

    async def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest | None:
        """Return a signed GET that supports Range; `None` if the bytes are no longer those of `terms.stored`."""
        ...

    async def prepare(self) -> None:
        """Create what the store needs before it can hold objects. Called only when a server starts.

        If a part disappears later, it is not created again, because a missing volume must not look like an empty store.

        Raises:
            Unavailable: the store cannot be reached, or lacks a feature that Dossier needs.
        """
        ...

    async def probe(self) -> None:
        """Return without a value if objects can be stored.

        Raises:
            Unavailable: saying what is wrong.
        """
        ...

    async def run_checks(self) -> Sequence[CheckResult]:
        """Test each feature of the store on which Dossier relies, on objects that exist only for the test.

        If the store cannot be reached, return that as a check result, and do not raise `Unavailable`.
        """
        ...

    def list(self, prefix: str) -> AsyncIterator[Sequence[ListedObject]]:
        """Yield all objects whose object key begins with `prefix`, in pages of at most 1,000 and in no certain order.

        `prefix` ends with a slash. An object that is stored or deleted during the listing may be missing or present.
        """
        ...

    def list_after(self, positions: Mapping[str, str]) -> AsyncIterator[Sequence[ListedObject]]:
        """Yield the objects below each prefix whose object keys are greater than its position, by code points.

        The pages are as those of `list`, each of one prefix. The objects up to a position cost nothing, so a caller can
        pass hundreds of prefixes.
        """
        ...

    async def delete(self, paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        """Delete every version of the objects at the paths. A path without an object is not an error.

        Return the paths at which the store still has an object, because of an object lock or a missing permission.
        After `Unavailable`, some of the objects may be deleted.
        """
        ...

    async def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """Delete the parts of uploads below `prefix` that began before `before` and never ended. Return the number of
        these uploads."""
        ...

    async def read_mark(self) -> str | None:
        """Return the text that `write_mark` stored; `None` if the store has no mark."""
        ...

    async def write_mark(self, mark: str, *, replace: bool) -> bool:
        """Store one line of text durably in the store. Unless `replace`, store it only if the store has no mark.

        Return `False` if the store already had a mark that was not replaced. If several processes try at once, exactly
        one stores the first mark; the others return `False`, and `read_mark` returns that mark to them. Each process
        must write a mark of its own.
        """
        ...


class Deletions(Protocol):
    """The objects of deleted documents, which are to be deleted soon."""

    def note(self, path: StoragePath) -> None:
        """Delete the object at a condemned path in the background, if possible. Never waits and never fails.

        The quota of a deleted document is given back at once. If its bytes stayed until the next sweep, a client could
        fill a disk many times its quota by uploads and deletions.
        """
        ...


@dataclass(frozen=True, slots=True)
class AlreadyStored:
    """An object already exists at the path. It is unchanged."""


@dataclass(frozen=True, slots=True)
class UploadMismatch:
    """The bytes differ from one of the `UploadTerms`: from that `term`."""

    term: Literal["size_bytes", "sha256"]


@dataclass(frozen=True, slots=True)
class ServedObject:
    """An object, and when it was stored: in whole seconds of UTC."""

    stored: StoredObject
    modified_at: datetime


class ServedStorage(ObjectStorage, Protocol):
    """An object store without an HTTP server of its own. Dossier receives its signed requests and executes them.

    A signed URL is passed as its path and its query.
    """

    async def stat(self, path: StoragePath) -> StoredObject | None:
        """Return the object at the path; `None` if there is none. No header is stored that readers would get."""
        ...

    def open_upload(self, path: str, query: Mapping[str, str], at: datetime) -> UploadTerms | None:
        """Return the terms of a signed PUT; `None` if the URL was altered or has expired at `at`."""
        ...

    def open_download(self, path: str, query: Mapping[str, str], at: datetime) -> DownloadTerms | None:
        """Return the terms of a signed GET; `None` if the URL was altered or has expired at `at`."""
        ...

    def receiving(self, path: StoragePath) -> AbstractAsyncContextManager[bool]:
        """Try to be the only one who receives an upload to the path during the block. Yield whether that succeeded.

        It succeeds in at most one process of this machine at a time. A process that was killed no longer counts.

        Raises:
            Unavailable: the store cannot be reached.
        """
        ...

    async def write(
        self, terms: UploadTerms, content: AsyncIterator[bytes]
    ) -> StoredObject | AlreadyStored | UploadMismatch:
        """Store the content durably, or store nothing: an interrupted upload leaves no object at the path.

        An exception that `content` raises is passed on. If `content` is longer than the length in `terms`, the rest is
        not read.
        """
        ...

    async def find(self, path: StoragePath) -> ServedObject | None:
        """Return the object at the path with its time; `None` if there is none."""
        ...

    def read(self, terms: DownloadTerms, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to `stop`, in pieces of bounded size.

        Raises:
            Unavailable: the object is missing or has changed.
        """
        ...
