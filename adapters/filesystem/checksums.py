"""The SHA-256 of each stored file. It is kept in a second file, so that it need not be computed again."""

from dataclasses import dataclass
from pathlib import Path

from adapters.filesystem.files import flush, fsync_nearest, in_directory, read_small
from domain.paths import StoragePath


@dataclass(frozen=True, slots=True)
class Checksums:
    """Checksums below `root`, each with the ETag of the file from which it was computed."""

    root: Path

    def read(self, path: StoragePath, etag: str) -> str | None:
        """Return the SHA-256 of the file with that ETag; `None` if the file was replaced, or was not uploaded through
        Dossier."""
        try:
            recorded_etag, _, sha256 = read_small(f"{self.root}/{path}").decode().partition(" ")
        except (OSError, UnicodeDecodeError):
            # If the checksum is missing, the object is still usable; only its SHA-256 is unknown.
            return None
        # A crash may have left half a line.
        return sha256 if recorded_etag == etag and len(sha256) == 64 else None

    def write(self, path: StoragePath, etag: str, sha256: str) -> None:
        """Record the SHA-256 of the file with that ETag, durably."""
        checksum = self.root / path

        def write() -> None:
            with open(checksum, "wb") as file:
                file.write(f"{etag} {sha256}".encode())
                flush(file)

        in_directory(checksum.parent, self.root, write)
        fsync_nearest(checksum.parent)
