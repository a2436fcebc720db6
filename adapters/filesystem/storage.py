"""The object store in a directory.

<root>/objects/<storage path>          the bytes, written once, never replaced
<root>/checksums/<storage path>        the SHA-256 of the bytes, and the ETag of the file it was computed from
<root>/incoming/<workspace>.<random>   uploads in progress; names without a workspace belong to probes and claim marks
<root>/incoming/<workspace>.<digest>   empty, locked while an upload to the storage path with this digest is in progress
<root>/deployment                      the claim mark
"""

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from adapters.filesystem.checksums import Checksums
from adapters.filesystem.files import (
    MISSING,
    compute_checksum,
    etag_of,
    flush,
    fsync_nearest,
    in_directory,
    make_directories,
    remove,
    remove_old,
    walk,
)
from adapters.filesystem.incoming import is_below, locked, new_name, receive
from adapters.filesystem.mark import read_mark, write_mark
from adapters.filesystem.signed_urls import SignedUrls
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

_PIECE = 1024 * 1024
_PAGE = 1000
# Probes create files directly in objects/, at which no storage path points.
_PROBE = ".probe-"
# workspaces/<workspace>/documents stays when it is empty, because many uploads share it.
_LEVELS_KEPT = 3


class FilesystemStorage(OneVersion):
    """`ServedStorage` in a directory of this machine.

    `root` must be on one file system that supports hard links. `public_url` is the address at which clients reach this
    service. All processes of a deployment share `signing_key`, which signs the URLs.
    """

    binds_unsized_uploads = True

    def __init__(self, root: Path, public_url: str, signing_key: bytes) -> None:
        self._root = root
        self._objects = root / "objects"
        self._checksums = Checksums(root / "checksums")
        self._incoming = root / "incoming"
        self._mark = root / "deployment"
        self._signed_urls = SignedUrls(public_url, signing_key)

    async def stat(self, path: StoragePath) -> StoredObject | None:
        # This does not run in a thread: to read two local files takes 20 us, and to switch to a thread and back takes
        # 60.
        return self._stat(path)

    async def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        return self._signed_urls.sign_upload(terms, expires_at)

    async def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest | None:
        found = self._stat(terms.path)
        if found is None or found.size_bytes != terms.stored.size_bytes:
            return None
        if found.etag != terms.stored.etag and terms.stored.sha256 != await self._checksum_of_copy(terms.path, found):
            return None
        return self._signed_urls.sign_download(replace(terms, stored=found), expires_at)

    async def prepare(self) -> None:
        # Directories are created only here, at the start of a server. If one is missing later, its volume may not be
        # mounted.
        try:
            for directory in (self._objects, self._checksums.root, self._incoming):
                await asyncio.to_thread(make_directories, directory)
        except OSError as error:
            raise Unavailable(f"cannot store files in {self._root}: {error}") from error
        # The test file is empty, so that a server can start on a full disk and serve downloads.
        await asyncio.to_thread(self._probe, 0)

    async def probe(self) -> None:
        await asyncio.to_thread(self._probe, 4096)

    async def run_checks(self) -> Sequence[CheckResult]:
        try:
            await self.probe()
            free = (await asyncio.to_thread(shutil.disk_usage, self._root)).free
        except (Unavailable, OSError) as error:
            return [CheckResult("storage", Grade.FAILED, str(error))]
        return [
            CheckResult("storage", Grade.OK, f"{self._root} accepts files; {free / 10**9:,.1f} GB are free"),
            CheckResult("overwrite", Grade.OK, "a file gets its name by a hard link, which never replaces another"),
            CheckResult("signatures", Grade.OK, "URLs are signed with HMAC-SHA256, and served by Dossier itself"),
            CheckResult("recorded bytes", Grade.OK, "compared by time and size, and by SHA-256 if the time differs"),
        ]

    async def list(self, prefix: str) -> AsyncIterator[Sequence[ListedObject]]:
        async for page in self.list_after({prefix: ""}):
            yield page

    async def list_after(self, positions: Mapping[str, str]) -> AsyncIterator[Sequence[ListedObject]]:
        for prefix, position in positions.items():
            async for page in self._list(prefix, position):
                yield page

    async def _list(self, prefix: str, position: str) -> AsyncIterator[Sequence[ListedObject]]:
        if not self._objects.is_dir():
            raise Unavailable(f"cannot list {prefix}: {self._objects} does not exist")
        files = walk(self._objects / prefix, position.removeprefix(prefix))
        try:
            while page := await asyncio.to_thread(lambda: list(islice(files, _PAGE))):
                yield [
                    ListedObject(
                        key=prefix + path,
                        size_bytes=found.st_size,
                        etag=etag_of(found),
                        modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
                    )
                    for path, found in page
                ]
        except OSError as error:
            raise Unavailable(f"cannot list {prefix}: {error}") from error

    async def delete(self, paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        try:
            held = await asyncio.to_thread(remove, paths, self._objects, _LEVELS_KEPT)
            deleted = [path for path in paths if path not in held]
            return [*held, *await asyncio.to_thread(remove, deleted, self._checksums.root, _LEVELS_KEPT)]
        except OSError as error:
            raise Unavailable(f"cannot delete in {self._root}: {error}") from error

    async def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """Discard as the port defines, but only for whole workspaces: a longer prefix discards no upload.

        Files without a workspace in their name are discarded with every prefix. `before` is compared with the time of
        the last byte, so that an upload in progress is kept.
        """
        return await asyncio.to_thread(self._discard_unfinished, prefix, before)

    async def read_mark(self) -> str | None:
        return await asyncio.to_thread(self._read_mark)

    async def write_mark(self, mark: str, *, replace: bool) -> bool:
        return await asyncio.to_thread(self._write_mark, mark, replace=replace)

    def open_upload(self, path: str, query: Mapping[str, str], at: datetime) -> UploadTerms | None:
        return self._signed_urls.open_upload(path, query, at)

    def open_download(self, path: str, query: Mapping[str, str], at: datetime) -> DownloadTerms | None:
        return self._signed_urls.open_download(path, query, at)

    def receiving(self, path: StoragePath) -> AbstractAsyncContextManager[bool]:
        return locked(self._incoming, path)

    async def write(
        self, terms: UploadTerms, content: AsyncIterator[bytes]
    ) -> StoredObject | AlreadyStored | UploadMismatch:
        # This is checked first, so that the client does not send a file that is refused in the end.
        if self._stat(terms.path) is not None:
            return AlreadyStored()
        incoming = self._incoming / new_name(terms.path)
        try:
            with await asyncio.to_thread(open, incoming, "xb") as file:
                size, sha256 = await receive(file, content, terms.size_bytes)
                if terms.size_bytes not in (None, size):
                    return UploadMismatch("size_bytes")
                if terms.sha256 not in (None, sha256):
                    return UploadMismatch("sha256")
                return await asyncio.to_thread(self._publish, terms.path, incoming, file, sha256)
        except OSError as error:
            raise Unavailable(f"cannot store {terms.path}: {error}") from error
        finally:
            with suppress(OSError):
                incoming.unlink()

    async def find(self, path: StoragePath) -> ServedObject | None:
        found = self._lstat(path)
        if found is None:
            return None
        return ServedObject(self._describe(path, found), datetime.fromtimestamp(int(found.st_mtime), UTC))

    async def read(self, terms: DownloadTerms, start: int, stop: int) -> AsyncIterator[bytes]:
        try:
            with await asyncio.to_thread(open, self._objects / terms.path, "rb") as file:
                if etag_of(os.fstat(file.fileno())) != terms.stored.etag:
                    raise Unavailable(f"the bytes of {terms.path} have changed")
                await asyncio.to_thread(file.seek, start)
                while start < stop:
                    piece = await asyncio.to_thread(file.read, min(_PIECE, stop - start))
                    if not piece:
                        raise Unavailable(f"{terms.path} ends at {start}, before {stop}")
                    start += len(piece)
                    yield piece
        except OSError as error:
            raise Unavailable(f"cannot read {terms.path}: {error}") from error

    def _probe(self, size_bytes: int) -> None:
        """Store a file as `write` does: flush it to the disk, then link it into the directory of objects."""
        incoming = self._incoming / new_name()
        linked = self._objects / (_PROBE + incoming.name)
        try:
            with open(incoming, "xb") as file:
                file.write(bytes(size_bytes))
                flush(file)
            os.link(incoming, linked)
            with suppress(FileExistsError):
                os.link(incoming, linked)
                raise Unavailable(f"cannot store files in {self._objects}: a hard link there replaces another file")
            # On a file system that ignores case, a document could be recorded at a path in another spelling than the
            # listing shows. The sweeper would then delete its file as an orphan.
            if os.path.lexists(linked.with_name(linked.name.upper())):
                raise Unavailable(f"cannot store files in {self._objects}: it does not tell upper case from lower case")
        except OSError as error:
            raise Unavailable(f"cannot store files in {self._objects}: {error}") from error
        finally:
            for made in (incoming, linked):
                with suppress(OSError):
                    made.unlink()

    def _discard_unfinished(self, prefix: str, before: datetime) -> int:
        try:
            remove_old(self._objects, before, lambda name: name.startswith(_PROBE))
            return remove_old(self._incoming, before, lambda name: is_below(prefix, name))
        except OSError as error:
            raise Unavailable(f"cannot clean up {self._incoming}: {error}") from error

    def _read_mark(self) -> str | None:
        try:
            mark = read_mark(self._mark)
        except OSError as error:
            raise Unavailable(f"cannot read {self._mark}: {error}") from error
        if mark is None and not self._objects.is_dir():
            # If the volume is not mounted, it is unknown whether the store has a mark.
            raise Unavailable(f"cannot read {self._mark}: {self._objects} does not exist")
        return mark

    def _write_mark(self, mark: str, *, replace: bool) -> bool:
        try:
            return write_mark(self._mark, self._incoming / new_name(), mark, replace=replace)
        except OSError as error:
            raise Unavailable(f"cannot write {self._mark}: {error}") from error

    def _stat(self, path: StoragePath) -> StoredObject | None:
        found = self._lstat(path)
        return None if found is None else self._describe(path, found)

    def _describe(self, path: StoragePath, found: os.stat_result) -> StoredObject:
        etag = etag_of(found)
        return StoredObject(size_bytes=found.st_size, etag=etag, sha256=self._checksums.read(path, etag))

    def _lstat(self, path: StoragePath) -> os.stat_result | None:
        try:
            # pathlib is not used: every create runs this, and joining paths with it takes longer than lstat.
            found = os.lstat(f"{self._objects}/{path}")
        except OSError as error:
            if error.errno in MISSING and self._objects.is_dir():
                return None
            raise Unavailable(f"cannot read {path}: {error}") from error
        return found if stat.S_ISREG(found.st_mode) else None

    async def _checksum_of_copy(self, path: StoragePath, found: StoredObject) -> str | None:
        """Return the SHA-256 of a file whose time has changed, as after a restore. It is computed once and then
        stored."""
        if found.sha256 is None:
            return await asyncio.to_thread(self._compute_checksum, path, found.etag)
        return found.sha256

    def _compute_checksum(self, path: StoragePath, etag: str) -> str | None:
        try:
            if (sha256 := compute_checksum(self._objects / path, etag)) is not None:
                self._checksums.write(path, etag, sha256)
        except OSError as error:
            raise Unavailable(f"cannot read {path}: {error}") from error
        return sha256

    def _publish(self, path: StoragePath, incoming: Path, file: BinaryIO, sha256: str) -> StoredObject | AlreadyStored:
        """Flush the bytes to the disk, then give the file its name. After a crash, the file is complete or absent."""
        flush(file)
        target = self._objects / path
        try:
            # A hard link is used instead of a rename, because it fails if the name exists, even if two uploads run at
            # the same time.
            in_directory(target.parent, self._objects, lambda: os.link(incoming, target))
        except FileExistsError:
            return AlreadyStored()
        # A delete may already have removed the file and its directory, so the nearest existing directory is flushed.
        fsync_nearest(target.parent)
        found = os.fstat(file.fileno())
        # This comes after the link, so that of several uploads only the successful one records its checksum.
        self._checksums.write(path, etag_of(found), sha256)
        return StoredObject(size_bytes=found.st_size, etag=etag_of(found), sha256=sha256)
