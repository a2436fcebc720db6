"""Bodies and sinks: the bytes of a file on the way to the store, and on the way back."""

import hashlib
import os
import secrets
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from dossier_client.errors import FileChanged
from dossier_client.steps import Reply

PIECE = 1024 * 1024
"""Bytes that are read from a file at once."""

Progress = Callable[[int], None]
"""Called with the number of bytes of a file that were transferred so far. A retry begins at 0 again."""


def ignore(_transferred: int) -> None:
    """Ignore progress."""


class Content:
    """Bytes in memory, as the body of an upload."""

    def __init__(self, data: bytes, progress: Progress = ignore) -> None:
        self._data = data
        self._progress = progress
        self.length = len(data)
        self.sha256 = ""

    def examine(self) -> None:
        """Find the SHA-256."""
        self.sha256 = hashlib.sha256(self._data).hexdigest()

    def pieces(self) -> Iterator[bytes]:
        yield self._data
        self._progress(self.length)


class File:
    """A file on disk, as the body of an upload. `examine` finds its length and SHA-256.

    The file must not change after that: the signed URL takes only a file with this length and SHA-256.

    Raises:
        FileChanged: from `examine` and `pieces`.
        OSError: it cannot be read, or is not a regular file.
    """

    def __init__(self, path: Path, progress: Progress = ignore) -> None:
        self.path = path
        self.progress = progress
        self._state: object = None
        self.length = 0
        self.sha256 = ""

    def examine(self) -> None:
        digest = hashlib.sha256()
        with self._opened() as file:
            self._state = _state(file)
            for piece in self._read(file):
                digest.update(piece)
            self.length = file.tell()
        self.sha256 = digest.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        with self._opened() as file:
            for piece in self._read(file):
                yield piece
                self.progress(file.tell())

    def _read(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield the bytes of the file, and compare its state after each: a file that grows would have no end."""
        self._compare(file)
        while piece := file.read(PIECE):
            self._compare(file)
            yield piece

    def _opened(self) -> BinaryIO:
        # Without O_NONBLOCK, opening a named pipe waits for a writer.
        descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(f"{self.path} is not a regular file")
        return os.fdopen(descriptor, "rb", buffering=0)

    def _compare(self, file: BinaryIO) -> None:
        if _state(file) != self._state:
            raise FileChanged(f"{self.path} changed while it was read; upload it again when nothing writes to it")


def _state(file: BinaryIO) -> tuple[int, ...]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class Incoming:
    """A new file for a download. Its bytes lie in a temporary file beside the target until `keep`.

    Raises:
        FileExistsError: from `keep`, if the target exists and must not be replaced.
    """

    def __init__(self, target: Path, progress: Progress = ignore) -> None:
        self.target = target
        self._part = target.with_name(f".dossier-{secrets.token_hex(8)}.part")
        self._progress = progress
        self._digest: Any = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()
        self._is_discarded = False
        self.received = 0
        self.etag: str | None = None
        """The ETag of the bytes received so far, for If-Range."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of the received bytes."""
        return str(self._digest.hexdigest())

    def begin(self, reply: Reply) -> None:
        with self._lock:
            # An asynchronous download that is cancelled is discarded while a thread may still be here.
            if self._is_discarded:
                raise OSError("the download was given up")
            if self._file is None:
                self._file = self._part.open("xb", buffering=0)
        if reply.status != 206:
            self._file.seek(0)
            self._file.truncate()
            self._digest = hashlib.sha256()
            self.received = 0
        self.etag = reply.headers.get("etag")

    def write(self, piece: bytes) -> None:
        assert self._file is not None
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._digest.update(piece)
        self.received += len(piece)
        self._progress(self.received)

    def keep(self, *, replace: bool) -> None:
        """Give the file its name."""
        assert self._file is not None
        os.fsync(self._file.fileno())
        self._file.close()
        if replace:
            self._part.replace(self.target)
            return
        # A link fails if the name exists; a look before a rename would miss a file that appears in between.
        try:
            os.link(self._part, self.target)
        except FileExistsError:
            raise
        except OSError:
            # This file system has no hard links. Take the name with an empty file, which the rename replaces.
            os.close(os.open(self.target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            self._part.replace(self.target)

    def discard(self) -> None:
        """Delete the temporary file, if it still exists, and make no other."""
        with self._lock:
            self._is_discarded = True
            try:
                if self._file is not None:
                    self._file.close()
            finally:
                with suppress(FileNotFoundError):
                    self._part.unlink()
