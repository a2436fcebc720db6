"""The object store in a directory. `directory.py` describes the files; here, they are used in threads."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from adapters.filesystem.directory import Directory, next_page
from adapters.filesystem.incoming import Incoming, UploadLock, new_name, receive
from adapters.filesystem.mark import NewMark
from adapters.filesystem.outgoing import Outgoing
from adapters.filesystem.signed_urls import SignedUrls
from adapters.filesystem.threads import PATIENCE, Threads
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
from ports.system import Unavailable
from ports.versions import OneVersion

T = TypeVar("T")

_PAGE = 1000
_DELETED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The longest time in seconds of one file operation. Local disks need a small part of it.

    `look` is the limit of what a request waits for before its response, such as the status of a file; `piece` that of
    reading or writing a MiB; `flush` that of writing a whole upload to the disk; `upkeep` that of deleting some files,
    of a page of a listing, or of a mark; `checksum` that of reading a whole file; `cleanup` the time for which a caller
    waits until its lock and its unfinished file are removed.
    """

    look: float = 5
    piece: float = 30
    flush: float = 120
    upkeep: float = 60
    checksum: float = 300
    cleanup: float = 1


class FilesystemStorage(OneVersion):
    """`ServedStorage` in a directory of this machine.

    `root` must be on one file system that supports hard links. `public_url` is the address at which clients reach this
    service. All processes of a deployment share `signing_key`, which signs the URLs.
    """

    binds_unsized_uploads = True

    def __init__(self, root: Path, public_url: str, signing_key: bytes, timeouts: Timeouts | None = None) -> None:
        self._directory = Directory(root)
        self._signed_urls = SignedUrls(public_url, signing_key)
        self._timeouts = timeouts or Timeouts()
        # Threads that hang, or read and write for long, take none from the other kinds.
        self._looks = Threads("look at files", 4, PATIENCE)
        self._transfers = Threads("read and write files", 8)
        self._upkeep = Threads("list, delete and compare files", 4)

    async def stat(self, path: StoragePath) -> StoredObject | None:
        return await self._look(f"read {path}", partial(self._directory.find, path))

    async def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        return self._signed_urls.sign_upload(terms, expires_at)

    async def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest | None:
        found = await self.stat(terms.path)
        if found is None or found.size_bytes != terms.stored.size_bytes:
            return None
        if found.etag != terms.stored.etag:
            if terms.stored.sha256 != await self._checksum_of_copy(terms.path, found):
                return None
            terms = replace(terms, stored=found)
        return self._signed_urls.sign_download(terms, expires_at)

    async def prepare(self) -> None:
        # Directories are created only here, at the start of a server. If one is missing later, its volume may not be
        # mounted.
        await self._maintain(f"store files in {self._directory.root}", self._directory.make)
        # The test file is empty, so that a server can start on a full disk and serve downloads.
        await self._probe(0)

    async def probe(self) -> None:
        await self._probe(4096)

    async def run_checks(self) -> Sequence[CheckResult]:
        root = self._directory.root
        try:
            await self.probe()
            free = (await self._look(f"read {root}", partial(shutil.disk_usage, root))).free
        except Unavailable as error:
            return [CheckResult("storage", Grade.FAILED, str(error))]
        return [
            CheckResult("storage", Grade.OK, f"{root} accepts files; {free / 10**9:,.1f} GB are free"),
            CheckResult("overwrite", Grade.OK, "a file gets its name by a hard link, which never replaces another"),
            CheckResult("signatures", Grade.OK, "URLs are signed with HMAC-SHA256, and served by Dossier itself"),
            CheckResult("recorded bytes", Grade.OK, "compared by time and size, and by SHA-256 if the time differs"),
        ]

    async def list(self, prefix: str) -> AsyncIterator[Sequence[ListedObject]]:
        async for page in self.list_after({prefix: ""}):
            yield page

    async def list_after(self, positions: Mapping[str, str]) -> AsyncIterator[Sequence[ListedObject]]:
        for prefix, position in positions.items():
            objects = self._directory.list(prefix, position)
            while page := await self._maintain(f"list {prefix}", partial(next_page, objects, _PAGE)):
                yield page

    async def delete(self, paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        held: list[StoragePath] = []
        for start in range(0, len(paths), _DELETED_AT_ONCE):
            some = paths[start : start + _DELETED_AT_ONCE]
            held += await self._maintain(f"delete in {self._directory.root}", partial(self._directory.delete, some))
        return held

    async def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """Discard as the port defines, but only for whole workspaces: a longer prefix discards no upload.

        Files without a workspace in their name are discarded with every prefix. `before` is compared with the time of
        the last byte, so that an upload in progress is kept.
        """
        discard = partial(self._directory.discard_unfinished, prefix, before)
        return await self._maintain(f"clean up {self._directory.incoming}", discard)

    async def read_mark(self) -> str | None:
        return await self._maintain(f"read {self._directory.mark}", self._directory.read_mark)

    async def write_mark(self, mark: str, *, replace: bool) -> bool:
        directory, new = self._directory, NewMark(mark)
        write = partial(new.write, directory.mark, directory.incoming / new_name(), replace=replace)
        try:
            return await self._maintain(f"write {directory.mark}", write)
        finally:
            new.is_given_up = True

    def open_upload(self, path: str, query: Mapping[str, str], at: datetime) -> UploadTerms | None:
        return self._signed_urls.open_upload(path, query, at)

    def open_download(self, path: str, query: Mapping[str, str], at: datetime) -> DownloadTerms | None:
        return self._signed_urls.open_download(path, query, at)

    @asynccontextmanager
    async def receiving(self, path: StoragePath) -> AsyncIterator[bool]:
        lock = UploadLock(self._directory.incoming, path)
        is_alone = await self._look(f"store {path}", lock.acquire, undo=lock.release)
        try:
            yield is_alone
        finally:
            await self._clean_up(self._looks, lock.release)

    async def write(
        self, terms: UploadTerms, content: AsyncIterator[bytes]
    ) -> StoredObject | AlreadyStored | UploadMismatch:
        # This is checked first, so that the client does not send a file that is refused in the end.
        if await self.stat(terms.path) is not None:
            return AlreadyStored()
        incoming = Incoming(self._directory.incoming / new_name(terms.path))
        try:
            with _as_unavailable(f"store {terms.path}"):
                await self._looks.run(incoming.create, self._timeouts.look)
                size = await receive(incoming, content, terms.size_bytes, self._transfers, self._timeouts.piece)
                if terms.size_bytes not in (None, size):
                    return UploadMismatch("size_bytes")
                if terms.sha256 not in (None, incoming.sha256):
                    return UploadMismatch("sha256")
                publish = partial(self._directory.publish, terms.path, incoming, incoming.sha256)
                return await self._transfers.run(publish, self._timeouts.flush)
        finally:
            await self._clean_up(self._transfers, incoming.discard)

    async def find(self, path: StoragePath) -> ServedObject | None:
        return await self._look(f"read {path}", partial(self._directory.find_served, path))

    async def read(self, terms: DownloadTerms, start: int, stop: int) -> AsyncIterator[bytes]:
        outgoing = Outgoing(self._directory.objects / terms.path, terms.stored.etag, start, stop)
        try:
            while True:
                with _as_unavailable(f"read {terms.path}"):
                    piece = await self._transfers.run(outgoing.read, self._timeouts.piece, undo=outgoing.close)
                if piece:
                    yield piece
                if outgoing.position == stop:
                    return
        except GeneratorExit:
            # The client is gone, and no thread is using the file.
            self._transfers.start(outgoing.close)
            raise

    async def _probe(self, size_bytes: int) -> None:
        await self._look(f"store files in {self._directory.objects}", partial(self._directory.probe, size_bytes))

    async def _checksum_of_copy(self, path: StoragePath, found: StoredObject) -> str | None:
        """Return the SHA-256 of a file whose time has changed, as after a restore. It is computed once and then
        stored."""
        if found.sha256 is not None:
            return found.sha256
        with _as_unavailable(f"read {path}"):
            compute = partial(self._directory.compute_checksum, path, found.etag)
            return await self._upkeep.run(compute, self._timeouts.checksum)

    async def _look(self, doing: str, work: Callable[[], T], undo: Callable[[], object] | None = None) -> T:
        # Not `_as_unavailable`: every create runs this.
        try:
            return await self._looks.run(work, self._timeouts.look, undo=undo)
        except OSError as error:
            raise Unavailable(f"cannot {doing}: {error}") from error

    async def _maintain(self, doing: str, work: Callable[[], T]) -> T:
        with _as_unavailable(doing):
            return await self._upkeep.run(work, self._timeouts.upkeep)

    async def _clean_up(self, threads: Threads, work: Callable[[], object]) -> None:
        """Let a thread remove something, and wait for a moment, so that a response usually comes after it."""
        with suppress(Unavailable):
            await threads.run(work, self._timeouts.cleanup, needed=True)


async def is_prepared(root: Path) -> bool:
    """Return whether the directory has been prepared as a store.

    Raises:
        Unavailable: the file system hangs.
    """
    return await Threads("look for a store", 1).run(Directory(root).objects.exists, Timeouts().look)


@contextmanager
def _as_unavailable(doing: str) -> Iterator[None]:
    """Raise every failure of the file system in the block as `Unavailable`. `doing` names the attempt in words."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"cannot {doing}: {error}") from error
