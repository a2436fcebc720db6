"""The object store: where bytes lie, and the signed requests that reach them without us."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.checks import CheckResult


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A request anybody may send until `expires_at`: `method` to `url` with exactly `headers`."""

    method: str
    url: str
    headers: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadTerms:
    """What a signed upload binds: the length in bytes and the SHA-256 (hex) when given, the type always."""

    path: StoragePath
    mime_type: str
    size_bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadTerms:
    """What a signed download gives: these very bytes, under this type and Content-Disposition."""

    path: StoragePath
    stored: StoredObject
    mime_type: str
    disposition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedObject:
    """An object as a listing shows it. Its key may be one at which no document can be recorded; `etag` is opaque."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime


class ObjectStorage(Protocol):
    async def stat(self, path: StoragePath) -> StoredObject | None:
        """What lies at the path; `None` when nothing does."""
        ...

    async def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        """A PUT that stores bytes at a path where nothing lies yet, and can never replace what lies there."""
        ...

    async def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest | None:
        """A GET of the bytes, which honours Range; `None` when they are no longer those of `terms.stored`."""
        ...

    async def prepare(self) -> None:
        """Make what the store needs to take objects: when a server starts, and never else.

        What goes missing later is not made anew: nothing may be taken for lost, or put in the place of what is stored.
        Raises `Unavailable` for a store on which our promises cannot be kept.
        """
        ...

    async def probe(self) -> None:
        """Return when objects can be stored; raise `Unavailable` saying what is wrong."""
        ...

    async def run_checks(self) -> Sequence[CheckResult]:
        """Try out, on objects of our own, each thing that our promises need of the store.

        A store that cannot be reached is a finding too.
        """
        ...

    def list(self, prefix: str) -> AsyncIterator[Sequence[ListedObject]]:
        """Every object whose key begins with `prefix`, which ends with a slash: in pages of at most 1,000, in no order.

        What comes or goes meanwhile may be there or not.
        """
        ...

    async def delete(self, paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        """Delete what lies at the paths, in every version; where nothing lies, nothing happens.

        Those come back of which something is left, because the store holds on to it: by a lock, or for want of a right.
        After `Unavailable`, some may be deleted.
        """
        ...

    async def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """Throw away what there is of uploads to such keys that began before then and never ended; how many."""
        ...

    async def read_mark(self) -> str | None:
        """What `write_mark` left in the store."""
        ...

    async def write_mark(self, mark: str, *, replace: bool) -> bool:
        """Leave a line of text in the store, durably; unless `replace`, only where there is none.

        `False` when there was one: of many that try at once, one leaves the first.
        """
        ...


@dataclass(frozen=True, slots=True)
class AlreadyStored:
    """Something lies at the path already; it stays as it is."""


@dataclass(frozen=True, slots=True)
class UploadMismatch:
    """The bytes are not those that were announced: `what` of them is wrong, `why` completes the sentence."""

    what: str
    why: str


class ServedStorage(ObjectStorage, Protocol):
    """A store without an HTTP server of its own: its signed requests come to us, and are carried out here.

    A link is the path and the query of a signed URL; one that was changed in any place, or has expired, is `None`.
    """

    def open_upload(self, path: str, query: Mapping[str, str], at: datetime) -> UploadTerms | None:
        """The terms of a PUT link."""
        ...

    def open_download(self, path: str, query: Mapping[str, str], at: datetime) -> DownloadTerms | None:
        """The terms of a GET link."""
        ...

    async def write(
        self, terms: UploadTerms, content: AsyncIterator[bytes]
    ) -> StoredObject | AlreadyStored | UploadMismatch:
        """Store the bytes, durably, or nothing at all: a cut-off upload leaves nothing at the path.

        What is raised out of `content` passes through. Not much more of it is taken than `terms` announce.
        """
        ...

    def read(self, terms: DownloadTerms, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `stop`, in pieces of bounded size.

        Raises `Unavailable` when they are no longer there as they were.
        """
        ...
