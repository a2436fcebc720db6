"""Reads a file for a download, piece by piece."""

import os
from dataclasses import dataclass
from pathlib import Path

from adapters.filesystem.files import etag_of
from ports.system import Unavailable

_PIECE = 1024 * 1024


@dataclass(slots=True, eq=False)
class Outgoing:
    """The bytes of a file from `position` up to `stop`. The file is opened for the first piece.

    It is closed after the last piece, after an error, or by `close`.
    """

    file: Path
    etag: str
    position: int
    stop: int
    _descriptor: int | None = None

    def read(self) -> bytes:
        """Return the next piece, of at most 1 MiB. After the last one, `position` is `stop`.

        Raises:
            OSError: the file cannot be read.
            Unavailable: it has another ETag, or ends before `stop`.
        """
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self.file, os.O_RDONLY | os.O_CLOEXEC)
                if etag_of(os.fstat(self._descriptor)) != self.etag:
                    raise Unavailable(f"the bytes of {self.file} have changed")
            piece = os.pread(self._descriptor, min(_PIECE, self.stop - self.position), self.position)
            if not piece and self.position < self.stop:
                raise Unavailable(f"{self.file} ends at {self.position}, before {self.stop}")
        except BaseException:
            self.close()
            raise
        self.position += len(piece)
        if self.position == self.stop:
            self.close()
        return piece

    def close(self) -> None:
        """Close the file, if it is open."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
