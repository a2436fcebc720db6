"""Durable operations on files and directories: when a function returns, a power cut does not undo what it did."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

Result = TypeVar("Result")
Name = TypeVar("Name", bound=str)

MISSING = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
"""The errors of a valid path at which no file exists."""

_SMALL_BYTES = 256


def etag_of(status: os.stat_result) -> str:
    """Return an ETag made from the time and size of a file, which is cheap enough for every request.

    A copy of the file with the same time to the nanosecond has the same ETag. Any other copy is recognised by its
    checksum.
    """
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def read_small(path: str) -> bytes:
    """Return the first 256 bytes of a file. The function makes few system calls, because every create runs it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _SMALL_BYTES)
    finally:
        os.close(descriptor)


def compute_checksum(path: Path, etag: str) -> str | None:
    """Return the SHA-256 (hex) of a file; `None` if its ETag is no longer `etag`."""
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return sha256 if etag_of(os.fstat(file.fileno())) == etag else None


def flush(file: BinaryIO) -> None:
    """Write an open file to the disk."""
    file.flush()
    os.fsync(file.fileno())


def fsync(path: Path) -> None:
    """Write a file, or the entries of a directory, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_nearest(directory: Path) -> None:
    """Write the entries of a directory to the disk. If another process removed the directory, write those of its
    nearest parent."""
    while True:
        try:
            fsync(directory)
        except OSError as error:
            if error.errno not in MISSING:
                raise
            directory = directory.parent
        else:
            return


def make_directories(directory: Path, below: Path | None = None) -> None:
    """Create a directory and its parents, durably.

    Raises:
        FileNotFoundError: the directory `below` does not exist. It is never created, because its volume may not be
        mounted.
    """
    if directory.is_dir():
        return
    if directory == below:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))
    make_directories(directory.parent, below)
    with suppress(FileExistsError):
        # The mode is 0700, because other users of the machine must not read files without an API key.
        directory.mkdir(mode=0o700)
    fsync(directory.parent)


def in_directory(directory: Path, below: Path, act: Callable[[], Result]) -> Result:
    """Create a directory as `make_directories` does, and call `act`.

    If `remove` deletes the directory between the two steps, because it is still empty, both steps are repeated.
    """
    while True:
        try:
            make_directories(directory, below)
            return act()
        except FileNotFoundError:
            # The directory exists, so something else is missing.
            if directory.is_dir() or not below.is_dir():
                raise


def remove(paths: Iterable[Name], below: Path, keep_levels: int) -> Sequence[Name]:
    """Remove the files that exist, and the directories that are empty afterwards, durably.

    The first `keep_levels` levels of directories below `below` stay. Returns the files that the system refuses to
    remove.
    """
    if not below.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(below))
    held, changed = [], set()
    for path in paths:
        try:
            changed.add(_remove(below / path, path.count("/") - keep_levels))
        except PermissionError:
            # This happens for a file that an operator made immutable, for example.
            held.append(path)
    # Each directory is flushed once. Most files have a directory of their own, and these directories have the same
    # parent.
    for directory in changed:
        fsync_nearest(directory)
    return held


def remove_old(directory: Path, before: datetime, passes: Callable[[str], bool]) -> int:
    """Remove the files that were last written before that time and whose names pass the test. Return their number."""
    removed = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            # An upload may end and remove its file at the same time.
            with suppress(FileNotFoundError):
                is_file = entry.is_file(follow_symlinks=False)
                if is_file and passes(entry.name) and entry.stat().st_mtime < before.timestamp():
                    os.unlink(entry.path)
                    removed += 1
    return removed


def _remove(file: Path, levels: int) -> Path:
    """Remove a file and up to `levels` empty directories above it. Return the directory whose entries may have
    changed."""
    try:
        file.unlink()
    except OSError as error:
        if error.errno not in MISSING and not file.is_dir():
            raise
    directory = file.parent
    # Directories are also removed if the file is missing, because only the directory may be left after a crash.
    for _ in range(levels):
        try:
            directory.rmdir()
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                break
            if error.errno not in MISSING:
                raise
        directory = directory.parent
    return directory


def try_lock(file: Path) -> int | None:
    """Create a file if it does not exist, and lock it. Return its open descriptor; `None` if it is locked already.

    The lock ends with its process, however it ends (flock). The file may stay after a crash, and then locks nothing.
    """
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The former holder may have removed the file after we opened it: then another process can lock a new one.
            if os.path.samestat(os.fstat(descriptor), os.stat(file)):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        os.close(descriptor)


def walk(top: Path, after: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Yield every file below a directory with its relative path, in no particular order. The memory is that of one
    entry for each level.

    With `after`, yield only paths that are greater. First-level directories that contain none are not opened.
    Symbolic links are neither followed nor listed. A file that is created or removed during the walk may be missing.
    """
    if top.is_symlink() or not top.is_dir():
        return
    levels = [("", os.scandir(top))]
    first_level = after.partition("/")[0]
    try:
        while levels:
            prefix, entries = levels[-1]
            entry = next(entries, None)
            if entry is None:
                levels.pop()[1].close()
                continue
            # A name that is not UTF-8 is listed in a printable form. No storage path contains a backslash.
            path = prefix + os.fsencode(entry.name).decode("utf-8", "backslashreplace")
            if not prefix and entry.name < first_level:
                continue
            with suppress(FileNotFoundError, NotADirectoryError):
                if entry.is_dir(follow_symlinks=False):
                    levels.append((path + "/", os.scandir(entry.path)))
                elif path > after and entry.is_file(follow_symlinks=False):
                    yield path, entry.stat(follow_symlinks=False)
    finally:
        for _, entries in levels:
            entries.close()
