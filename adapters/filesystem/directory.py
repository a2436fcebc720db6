"""The files of the object store. Every method waits for the file system, so it runs in a thread (see `threads.py`).

<root>/objects/<storage path>          the bytes, written once, never replaced
<root>/checksums/<storage path>        the SHA-256 of the bytes, and the ETag of the file it was computed from
<root>/incoming/<workspace>.<random>   uploads in progress; names without a workspace belong to probes and claim marks
<root>/incoming/<workspace>.<digest>   empty, locked while an upload to the storage path with this digest is in progress
<root>/deployment                      the claim mark
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
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
from adapters.filesystem.incoming import Incoming, is_below, new_name
from adapters.filesystem.mark import read_mark
from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.storage import AlreadyStored, ListedObject, ServedObject
from ports.system import Unavailable

# Probes create files directly in objects/, at which no storage path points.
_PROBE = ".probe-"
# workspaces/<workspace>/documents stays when it is empty, because many uploads share it.
_LEVELS_KEPT = 3


class Directory:
    """The directory `root`, which must be on one file system that supports hard links.

    Every method raises `OSError` if the file system fails, and `Unavailable` if it lacks something.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = root / "objects"
        self.checksums = Checksums(root / "checksums")
        self.incoming = root / "incoming"
        self.mark = root / "deployment"

    def make(self) -> None:
        """Create the directories that do not exist."""
        for directory in (self.objects, self.checksums.root, self.incoming):
            make_directories(directory)

    def find(self, path: StoragePath) -> StoredObject | None:
        """Return the object at the path."""
        found = self._lstat(path)
        return None if found is None else self._describe(path, found)

    def find_served(self, path: StoragePath) -> ServedObject | None:
        """Return the object at the path with its time."""
        found = self._lstat(path)
        if found is None:
            return None
        return ServedObject(self._describe(path, found), datetime.fromtimestamp(int(found.st_mtime), UTC))

    def list(self, prefix: str, after: str) -> Iterator[ListedObject]:
        """Yield the objects below a prefix whose keys are greater than `after`."""
        if not self.objects.is_dir():
            raise Unavailable(f"{self.objects} does not exist")
        for path, found in walk(self.objects / prefix, after.removeprefix(prefix)):
            yield ListedObject(
                key=prefix + path,
                size_bytes=found.st_size,
                etag=etag_of(found),
                modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
            )

    def delete(self, paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        """Delete the objects with their checksums. Return the paths at which that is forbidden."""
        held = remove(paths, self.objects, _LEVELS_KEPT)
        deleted = [path for path in paths if path not in held]
        return [*held, *remove(deleted, self.checksums.root, _LEVELS_KEPT)]

    def publish(self, path: StoragePath, incoming: Incoming, sha256: str) -> StoredObject | AlreadyStored:
        """Flush the bytes to the disk, then give the file its name. After a crash, the file is complete or absent."""

        def publish(file: BinaryIO) -> StoredObject | AlreadyStored:
            flush(file)
            # The caller may have given up while this thread hung.
            incoming.require_kept()
            target = self.objects / path
            try:
                # A hard link is used instead of a rename, because it fails if the name exists, even if two uploads run
                # at the same time.
                in_directory(target.parent, self.objects, lambda: os.link(incoming.path, target))
            except FileExistsError:
                return AlreadyStored()
            # A delete may already have removed the file and its directory, so the nearest existing directory is
            # flushed.
            fsync_nearest(target.parent)
            found = os.fstat(file.fileno())
            # This comes after the link, so that of several uploads only the successful one records its checksum.
            self.checksums.write(path, etag_of(found), sha256)
            return StoredObject(size_bytes=found.st_size, etag=etag_of(found), sha256=sha256)

        return incoming.use(publish)

    def compute_checksum(self, path: StoragePath, etag: str) -> str | None:
        """Return the SHA-256 of a file, and record it. Return `None` if the ETag of the file is no longer `etag`."""
        sha256 = compute_checksum(self.objects / path, etag)
        if sha256 is not None:
            self.checksums.write(path, etag, sha256)
        return sha256

    def probe(self, size_bytes: int) -> None:
        """Store a file as an upload does: flush it to the disk, then link it into the directory of objects."""
        incoming = self.incoming / new_name()
        linked = self.objects / (_PROBE + incoming.name)
        try:
            with open(incoming, "xb") as file:
                file.write(bytes(size_bytes))
                flush(file)
            os.link(incoming, linked)
            with suppress(FileExistsError):
                os.link(incoming, linked)
                raise Unavailable(f"cannot store files in {self.objects}: a hard link there replaces another file")
            # On a file system that ignores case, a document could be recorded at a path in another spelling than the
            # listing shows. The sweeper would then delete its file as an orphan.
            if os.path.lexists(linked.with_name(linked.name.upper())):
                raise Unavailable(f"cannot store files in {self.objects}: it does not tell upper case from lower case")
        finally:
            for made in (incoming, linked):
                with suppress(OSError):
                    made.unlink()

    def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """Discard the unfinished uploads of a prefix, and what probes left."""
        remove_old(self.objects, before, lambda name: name.startswith(_PROBE))
        return remove_old(self.incoming, before, lambda name: is_below(prefix, name))

    def read_mark(self) -> str | None:
        """Return the claim mark; `None` if there is none."""
        mark = read_mark(self.mark)
        if mark is None and not self.objects.is_dir():
            # If the volume is not mounted, it is unknown whether the store has a mark.
            raise Unavailable(f"cannot read {self.mark}: {self.objects} does not exist")
        return mark

    def _describe(self, path: StoragePath, found: os.stat_result) -> StoredObject:
        etag = etag_of(found)
        return StoredObject(size_bytes=found.st_size, etag=etag, sha256=self.checksums.read(path, etag))

    def _lstat(self, path: StoragePath) -> os.stat_result | None:
        try:
            # pathlib is not used: every create runs this, and joining paths with it takes longer than lstat.
            found = os.lstat(f"{self.objects}/{path}")
        except OSError as error:
            if error.errno in MISSING and self.objects.is_dir():
                return None
            raise
        return found if stat.S_ISREG(found.st_mode) else None


def next_page(objects: Iterator[ListedObject], size: int) -> Sequence[ListedObject]:
    """Return the next page of a listing; an empty one after the last."""
    return list(islice(objects, size))
