"""The object store in a directory.

<root>/objects/<storage path>          the bytes, written once, never replaced
<root>/checksums/<storage path>        their SHA-256, and the ETag of the file it was taken of
<root>/incoming/<workspace>.<random>   bytes on their way in; without a workspace: probes, and what older versions left
<root>/deployment                      the mark
"""

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from adapters.filesystem.files import (
    NOT_THERE,
    etag_of,
    flush,
    fsync_nearest,
    in_directory,
    make_directories,
    read_small,
    remove,
    remove_old,
    take_checksum,
    walk,
)
from adapters.filesystem.incoming import is_below, new_name, receive
from adapters.filesystem.mark import read_mark, write_mark
from adapters.filesystem.signed_urls import Links
from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.checks import CheckResult, Grade
from ports.storage import AlreadyStored, DownloadTerms, ListedObject, SignedRequest, UploadMismatch, UploadTerms
from ports.system import Unavailable

_PIECE = 1024 * 1024
_PAGE = 1000
# Beside the objects, where no storage path leads.
_PROBE = ".probe-"
# workspaces/<workspace>/documents: what is made once and filled by many uploads is not taken away under them.
_LEVELS_KEPT = 3


class FilesystemStorage:
    """`LinkedStorage` in a directory of this machine.

    `root` must be one file system, which can link. `public_url` is where clients reach this service. Whoever knows
    `secret` can sign links; every process of a deployment has the same.
    """

    def __init__(self, root: Path, public_url: str, secret: bytes) -> None:
        self._root = root
        self._objects = root / "objects"
        self._checksums = root / "checksums"
        self._incoming = root / "incoming"
        self._mark = root / "deployment"
        self._links = Links(public_url, secret)

    async def stat(self, path: StoragePath) -> StoredObject | None:
        # Not in a thread: to look at two local files takes 20 us, the way to a thread and back 60.
        return self._stat(path)

    async def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        return self._links.sign_upload(terms, expires_at)

    async def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest | None:
        found = self._stat(terms.path)
        if found is None or found.size_bytes != terms.stored.size_bytes:
            return None
        if found.etag != terms.stored.etag and terms.stored.sha256 != await self._checksum_of_copy(terms.path, found):
            return None
        return self._links.sign_download(replace(terms, stored=found), expires_at)

    async def prepare(self) -> None:
        # One that goes missing later is a volume that is not mounted.
        try:
            for directory in (self._objects, self._checksums, self._incoming):
                await asyncio.to_thread(make_directories, directory)
        except OSError as error:
            raise Unavailable(f"cannot store files in {self._root}: {error}") from error
        # A full disk takes files of no bytes, and what lies there can be had: no reason not to start.
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
            CheckResult("storage", Grade.OK, f"{self._root} takes files; {free / 10**9:,.1f} GB are free"),
            CheckResult("overwrite", Grade.OK, "a file gets its name by a hard link, which never replaces another"),
            CheckResult("signatures", Grade.OK, "links are signed with HMAC-SHA256, and served by Dossier itself"),
            CheckResult("recorded bytes", Grade.OK, "known by time and size, and by SHA-256 when the time differs"),
        ]

    async def list(self, prefix: str) -> AsyncIterator[Sequence[ListedObject]]:
        if not self._objects.is_dir():
            raise Unavailable(f"cannot list {prefix}: {self._objects} is not there")
        files = walk(self._objects / prefix)
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
            return [*held, *await asyncio.to_thread(remove, deleted, self._checksums, _LEVELS_KEPT)]
        except OSError as error:
            raise Unavailable(f"cannot delete in {self._root}: {error}") from error

    async def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """As the port says it, by workspace: a prefix within one throws nothing away.

        What has no workspace goes whatever the prefix is. `before` is compared with the time of the last byte, so that
        nothing is taken from an upload that goes on.
        """
        return await asyncio.to_thread(self._discard_unfinished, prefix, before)

    async def read_mark(self) -> str | None:
        return await asyncio.to_thread(self._read_mark)

    async def write_mark(self, mark: str, *, replace: bool) -> bool:
        return await asyncio.to_thread(self._write_mark, mark, replace=replace)

    def open_upload(self, path: str, query: Mapping[str, str], at: datetime) -> UploadTerms | None:
        return self._links.open_upload(path, query, at)

    def open_download(self, path: str, query: Mapping[str, str], at: datetime) -> DownloadTerms | None:
        return self._links.open_download(path, query, at)

    async def write(
        self, terms: UploadTerms, content: AsyncIterator[bytes]
    ) -> StoredObject | AlreadyStored | UploadMismatch:
        # Asked first, so that a client which would be refused in the end need not send the file.
        if self._stat(terms.path) is not None:
            return AlreadyStored()
        incoming = self._incoming / new_name(terms.path)
        try:
            with await asyncio.to_thread(open, incoming, "xb") as file:
                size, sha256 = await receive(file, content, terms.size_bytes)
                if terms.size_bytes not in (None, size):
                    return UploadMismatch(
                        "Content-Length", f"must be {terms.size_bytes}, the size this link was made for"
                    )
                if terms.sha256 not in (None, sha256):
                    return UploadMismatch("sha256", "of the bytes is not the one this link was made for")
                return await asyncio.to_thread(self._settle, terms.path, incoming, file, sha256)
        except OSError as error:
            raise Unavailable(f"cannot store {terms.path}: {error}") from error
        finally:
            with suppress(OSError):
                incoming.unlink()

    async def read(self, terms: DownloadTerms, start: int, stop: int) -> AsyncIterator[bytes]:
        try:
            with await asyncio.to_thread(open, self._objects / terms.path, "rb") as file:
                if etag_of(os.fstat(file.fileno())) != terms.stored.etag:
                    raise Unavailable(f"{terms.path} is no longer what it was")
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
        """As `write` does it: a file, to the disk, and a link to it where objects lie."""
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
            # There, a document could be recorded under a name that no listing shows, and be swept.
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
            # On a volume that is not mounted, nothing is known to be missing.
            raise Unavailable(f"cannot read {self._mark}: {self._objects} is not there")
        return mark

    def _write_mark(self, mark: str, *, replace: bool) -> bool:
        try:
            return write_mark(self._mark, self._incoming / new_name(), mark, replace=replace)
        except OSError as error:
            raise Unavailable(f"cannot write {self._mark}: {error}") from error

    def _stat(self, path: StoragePath) -> StoredObject | None:
        try:
            # Not with pathlib: this is asked at every create, and to join paths takes longer than to look.
            found = os.lstat(f"{self._objects}/{path}")
        except OSError as error:
            if error.errno in NOT_THERE and self._objects.is_dir():
                return None
            raise Unavailable(f"cannot look at {path}: {error}") from error
        if not stat.S_ISREG(found.st_mode):
            return None
        etag = etag_of(found)
        return StoredObject(size_bytes=found.st_size, etag=etag, sha256=self._checksum(path, etag))

    def _checksum(self, path: StoragePath, etag: str) -> str | None:
        """The SHA-256 taken when the bytes came in; `None` for a file that came in by another way or was changed."""
        try:
            of, _, sha256 = read_small(f"{self._checksums}/{path}").decode().partition(" ")
        except (OSError, UnicodeDecodeError):
            # Unknown is a right answer here, and nothing but this answer depends on the file.
            return None
        # A crash may have left half a line.
        return sha256 if of == etag and len(sha256) == 64 else None

    async def _checksum_of_copy(self, path: StoragePath, found: StoredObject) -> str | None:
        """The SHA-256 of a file whose time has changed, as a restored backup's has: taken anew, once, and kept."""
        if found.sha256 is None:
            return await asyncio.to_thread(self._take_checksum, path, found.etag)
        return found.sha256

    def _take_checksum(self, path: StoragePath, etag: str) -> str | None:
        try:
            if (sha256 := take_checksum(self._objects / path, etag)) is not None:
                self._keep_checksum(path, etag, sha256)
        except OSError as error:
            raise Unavailable(f"cannot read {path}: {error}") from error
        return sha256

    def _keep_checksum(self, path: StoragePath, etag: str, sha256: str) -> None:
        checksum = self._checksums / path

        def keep() -> None:
            with open(checksum, "wb") as file:
                file.write(f"{etag} {sha256}".encode())
                flush(file)

        in_directory(checksum.parent, self._checksums, keep)
        fsync_nearest(checksum.parent)

    def _settle(self, path: StoragePath, incoming: Path, file: BinaryIO, sha256: str) -> StoredObject | AlreadyStored:
        """Give the bytes their name, once they are on the disk: a crash leaves the whole file there, or none."""
        flush(file)
        target = self._objects / path
        try:
            # A link, not a rename: it fails where something has the name, however many try at once.
            in_directory(target.parent, self._objects, lambda: os.link(incoming, target))
        except FileExistsError:
            return AlreadyStored()
        # It may be deleted already.
        fsync_nearest(target.parent)
        found = os.fstat(file.fileno())
        # After the link, so that only the upload which won writes it.
        self._keep_checksum(path, etag_of(found), sha256)
        return StoredObject(size_bytes=found.st_size, etag=etag_of(found), sha256=sha256)
