"""The object store in a directory. Dossier serves its links itself, so they are signed here, with HMAC-SHA256.

<root>/objects/<storage path>     the bytes, written once, never replaced
<root>/checksums/<storage path>   their SHA-256, and the ETag of the file it was taken of
<root>/incoming/<random>          bytes on their way in
"""

import asyncio
import errno
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode

from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.storage import DownloadTerms, Exists, Mismatch, SignedRequest, UploadTerms
from ports.system import Unavailable

_PIECE = 1024 * 1024
_SMALL_BYTES = 256
# For a valid path these mean only that no object is there.
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}


class FilesystemStorage:
    """`LinkedStorage` in a directory of this machine.

    `root` must be one file system, which can link. `public_url` is where clients reach this service. Whoever knows
    `secret` can sign links; every process of a deployment has the same.
    """

    def __init__(self, root: Path, public_url: str, secret: bytes) -> None:
        self._objects = root / "objects"
        self._checksums = root / "checksums"
        self._incoming = root / "incoming"
        self._public_url = public_url
        self._secret = secret

    async def stat(self, path: StoragePath) -> StoredObject | None:
        # Not in a thread: to look at two local files takes 20 us, the way to a thread and back 60.
        return self._stat(path)

    async def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        query = {"expires": _seconds(expires_at), "type": terms.mime_type}
        if terms.size_bytes is not None:
            query["length"] = str(terms.size_bytes)
        if terms.sha256 is not None:
            query["sha256"] = terms.sha256
        url = self._sign("PUT", terms.path, query)
        return SignedRequest(method="PUT", url=url, headers={"Content-Type": terms.mime_type}, expires_at=expires_at)

    async def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest | None:
        found = self._stat(terms.path)
        if found is None or found.size_bytes != terms.stored.size_bytes:
            return None
        if found.etag != terms.stored.etag and terms.stored.sha256 != await self._checksum_of_copy(terms.path, found):
            return None
        query = {
            "expires": _seconds(expires_at),
            "type": terms.mime_type,
            "disposition": terms.disposition,
            "length": str(found.size_bytes),
            "etag": found.etag,
        }
        url = self._sign("GET", terms.path, query)
        return SignedRequest(method="GET", url=url, headers={}, expires_at=expires_at)

    async def prepare(self) -> None:
        # One that goes missing later is a volume that is not mounted.
        try:
            for directory in (self._objects, self._checksums, self._incoming):
                await asyncio.to_thread(_make_directories, directory)
        except OSError as error:
            raise Unavailable(f"cannot store files in {self._objects.parent}: {error}") from error

    async def probe(self) -> None:
        await asyncio.to_thread(self._probe)

    def open_upload(self, path: str, query: Mapping[str, str], at: datetime) -> UploadTerms | None:
        if not self._is_signed("PUT", path, query, at):
            return None
        return UploadTerms(
            path=StoragePath(path),
            mime_type=query["type"],
            size_bytes=int(query["length"]) if "length" in query else None,
            sha256=query.get("sha256"),
        )

    def open_download(self, path: str, query: Mapping[str, str], at: datetime) -> DownloadTerms | None:
        if not self._is_signed("GET", path, query, at):
            return None
        return DownloadTerms(
            path=StoragePath(path),
            stored=StoredObject(size_bytes=int(query["length"]), etag=query["etag"]),
            mime_type=query["type"],
            disposition=query["disposition"],
        )

    async def write(self, terms: UploadTerms, content: AsyncIterator[bytes]) -> StoredObject | Exists | Mismatch:
        # Asked first, so that a client which would be refused in the end need not send the file.
        if self._stat(terms.path) is not None:
            return Exists()
        incoming = self._incoming / secrets.token_hex(16)
        try:
            with await asyncio.to_thread(open, incoming, "xb") as file:
                size, sha256 = await _receive(file, content, terms.size_bytes)
                if terms.size_bytes not in (None, size):
                    return Mismatch("Content-Length", f"must be {terms.size_bytes}, the size this link was made for")
                if terms.sha256 not in (None, sha256):
                    return Mismatch("sha256", "of the bytes is not the one this link was made for")
                return await asyncio.to_thread(self._settle, terms.path, incoming, file, sha256)
        except OSError as error:
            raise Unavailable(f"cannot store {terms.path}: {error}") from error
        finally:
            with suppress(OSError):
                incoming.unlink()

    async def read(self, terms: DownloadTerms, start: int, stop: int) -> AsyncIterator[bytes]:
        try:
            with await asyncio.to_thread(open, self._objects / terms.path, "rb") as file:
                if _etag(os.fstat(file.fileno())) != terms.stored.etag:
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

    def _sign(self, method: str, path: StoragePath, query: dict[str, str]) -> str:
        signed = query | {"signature": self._signature(method, path, query)}
        return f"{self._public_url}/storage/{quote(path)}?{urlencode(signed, quote_via=quote)}"

    def _signature(self, method: str, path: str, query: Mapping[str, str]) -> str:
        # urlencode makes the text unambiguous: no value can hold a separator.
        text = f"{method}\n{quote(path)}\n{urlencode(sorted(query.items()))}"
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()

    def _is_signed(self, method: str, path: str, query: Mapping[str, str], at: datetime) -> bool:
        bound = {name: value for name, value in query.items() if name != "signature"}
        given = query.get("signature", "").encode()
        return hmac.compare_digest(given, self._signature(method, path, bound).encode()) and (
            at < datetime.fromtimestamp(int(bound["expires"]), UTC)
        )

    def _stat(self, path: StoragePath) -> StoredObject | None:
        try:
            # Not with pathlib: this is asked at every create, and to join paths takes longer than to look.
            found = os.lstat(f"{self._objects}/{path}")
        except OSError as error:
            if error.errno in _NOT_THERE and self._objects.is_dir():
                return None
            raise Unavailable(f"cannot look at {path}: {error}") from error
        if not stat.S_ISREG(found.st_mode):
            return None
        etag = _etag(found)
        return StoredObject(size_bytes=found.st_size, etag=etag, sha256=self._checksum(path, etag))

    def _checksum(self, path: StoragePath, etag: str) -> str | None:
        """The SHA-256 taken when the bytes came in; `None` for a file that came in by another way or was changed."""
        try:
            of, _, sha256 = _read_small(f"{self._checksums}/{path}").decode().partition(" ")
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
            with open(self._objects / path, "rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                # Only if it is still the file that was looked at.
                if _etag(os.fstat(file.fileno())) != etag:
                    return None
            self._keep_checksum(path, etag, sha256)
        except OSError as error:
            raise Unavailable(f"cannot read {path}: {error}") from error
        return sha256

    def _keep_checksum(self, path: StoragePath, etag: str, sha256: str) -> None:
        checksum = self._checksums / path
        _make_directories(checksum.parent, below=self._checksums)
        checksum.write_text(f"{etag} {sha256}")
        _fsync(checksum)
        _fsync(checksum.parent)

    def _settle(self, path: StoragePath, incoming: Path, file: BinaryIO, sha256: str) -> StoredObject | Exists:
        """Give the bytes their name, once they are on the disk: a crash leaves the whole file there, or none."""
        file.flush()
        os.fsync(file.fileno())
        target = self._objects / path
        _make_directories(target.parent, below=self._objects)
        try:
            # A link, not a rename: it fails where something has the name, however many try at once.
            os.link(incoming, target)
        except FileExistsError:
            return Exists()
        _fsync(target.parent)
        found = os.fstat(file.fileno())
        # After the link, so that only the upload which won writes it.
        self._keep_checksum(path, _etag(found), sha256)
        return StoredObject(size_bytes=found.st_size, etag=_etag(found), sha256=sha256)

    def _probe(self) -> None:
        """As `write` does it: a file, and a link to it where objects lie."""
        incoming = self._incoming / secrets.token_hex(16)
        linked = self._objects / f".probe-{incoming.name}"
        try:
            with open(incoming, "xb") as file:
                # More than nothing, and to the disk: a full one takes empty files.
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())
            os.link(incoming, linked)
        except OSError as error:
            raise Unavailable(f"cannot store files in {self._objects}: {error}") from error
        finally:
            for made in (incoming, linked):
                with suppress(OSError):
                    made.unlink()


async def _receive(file: BinaryIO, content: AsyncIterator[bytes], announced: int | None) -> tuple[int, str]:
    """Write what comes, in pieces of about `_PIECE`, but not much more than was announced; its size and SHA-256."""
    sha256, size, waiting = hashlib.sha256(), 0, bytearray()

    def write() -> None:
        sha256.update(waiting)
        file.write(waiting)

    async for piece in content:
        waiting += piece
        size += len(piece)
        if len(waiting) >= _PIECE:
            await asyncio.to_thread(write)
            waiting.clear()
        if announced is not None and size > announced:
            break
    await asyncio.to_thread(write)
    return size, sha256.hexdigest()


def _etag(found: os.stat_result) -> str:
    # Cheap to ask at every request. A copy that keeps times to the nanosecond has the same; any other is told by its
    # checksum, see sign_download.
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"


def _read_small(path: str) -> bytes:
    """The beginning of a file, with no more system calls than that takes: it is read at every create."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _SMALL_BYTES)
    finally:
        os.close(descriptor)


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def _make_directories(directory: Path, below: Path | None = None) -> None:
    """Make a directory and those above it, so that a crash does not lose their names; `below` itself must be there."""
    if directory.is_dir():
        return
    if directory == below:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))
    _make_directories(directory.parent, below)
    with suppress(FileExistsError):
        # Nobody else's to read: other users of this machine have no key.
        directory.mkdir(mode=0o700)
    _fsync(directory.parent)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
