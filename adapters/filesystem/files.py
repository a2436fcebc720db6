"""Files and directories that a crash leaves whole: what is reported as done is on the disk."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

Done = TypeVar("Done")
Name = TypeVar("Name", bound=str)

NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
"""What looking at a valid path may fail with where only no file is there."""

_SMALL_BYTES = 256


def etag_of(found: os.stat_result) -> str:
    """A name for the bytes of a file that is cheap to ask for at every request.

    A copy that keeps times to the nanosecond has the same; any other is told by its checksum.
    """
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"


def read_small(path: str) -> bytes:
    """The beginning of a file, with no more system calls than that takes: it is read at every create."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _SMALL_BYTES)
    finally:
        os.close(descriptor)


def take_checksum(path: Path, etag: str) -> str | None:
    """The SHA-256 of a file's bytes; `None` if it is no longer the file that was looked at."""
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return sha256 if etag_of(os.fstat(file.fileno())) == etag else None


def flush(file: BinaryIO) -> None:
    """Bring what was written to the disk."""
    file.flush()
    os.fsync(file.fileno())


def fsync(path: Path) -> None:
    """Bring a file, or the names in a directory, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_nearest(directory: Path) -> None:
    """Bring the names in a directory to the disk, or the news that it is gone, whoever has taken it away."""
    while True:
        try:
            fsync(directory)
        except OSError as error:
            if error.errno not in NOT_THERE:
                raise
            directory = directory.parent
        else:
            return


def make_directories(directory: Path, below: Path | None = None) -> None:
    """Make a directory and those above it, so that a crash does not lose their names; `below` itself must be there."""
    if directory.is_dir():
        return
    if directory == below:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))
    make_directories(directory.parent, below)
    with suppress(FileExistsError):
        # Nobody else's to read: other users of this machine have no key.
        directory.mkdir(mode=0o700)
    fsync(directory.parent)


def in_directory(directory: Path, below: Path, act: Callable[[], Done]) -> Done:
    """Make a directory as `make_directories` does, and act in it.

    It is made anew, and `act` done again, when it was empty for a moment and `remove` took it away in between.
    """
    while True:
        try:
            make_directories(directory, below)
            return act()
        except FileNotFoundError:
            # Still there: it is something else that is missing.
            if directory.is_dir() or not below.is_dir():
                raise


def remove(paths: Iterable[Name], below: Path, keep_levels: int) -> Sequence[Name]:
    """Remove files, where there are any, durably, and the directories that are empty then.

    Of the directories, the first `keep_levels` below `below` stay. Those files come back that may not be removed.
    """
    if not below.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(below))
    held, changed = [], set()
    for path in paths:
        try:
            changed.add(_remove(below / path, path.count("/") - keep_levels))
        except PermissionError:
            # As of a file that was made immutable.
            held.append(path)
    # Once for many files: most have a directory of their own, and those are all in one.
    for directory in changed:
        fsync_nearest(directory)
    return held


def remove_old(directory: Path, before: datetime, is_meant: Callable[[str], bool]) -> int:
    """Remove the files in a directory that are meant by their names and were written last before then; how many."""
    removed = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            # Also its owner may take it away.
            with suppress(FileNotFoundError):
                is_file = entry.is_file(follow_symlinks=False)
                if is_file and is_meant(entry.name) and entry.stat().st_mtime < before.timestamp():
                    os.unlink(entry.path)
                    removed += 1
    return removed


def _remove(file: Path, levels: int) -> Path:
    """Remove a file, and up to so many directories above it; the directory in which a name may have gone."""
    try:
        file.unlink()
    except OSError as error:
        if error.errno not in NOT_THERE and not file.is_dir():
            raise
    directory = file.parent
    # Also where the file was gone: a crash may have come between it and its directory.
    for _ in range(levels):
        try:
            directory.rmdir()
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                break
            if error.errno not in NOT_THERE:
                raise
        directory = directory.parent
    return directory


def walk(top: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below a directory, as a path from there: as they come, in memory for no more than the depth.

    Symbolic links are neither followed nor shown. What vanishes meanwhile may be shown or not.
    """
    if top.is_symlink() or not top.is_dir():
        return
    levels = [("", os.scandir(top))]
    try:
        while levels:
            prefix, entries = levels[-1]
            entry = next(entries, None)
            if entry is None:
                levels.pop()[1].close()
                continue
            # Bytes that are no text are shown so that they can be printed; no valid path has a backslash.
            path = prefix + os.fsencode(entry.name).decode("utf-8", "backslashreplace")
            with suppress(FileNotFoundError, NotADirectoryError):
                if entry.is_dir(follow_symlinks=False):
                    levels.append((path + "/", os.scandir(entry.path)))
                elif entry.is_file(follow_symlinks=False):
                    yield path, entry.stat(follow_symlinks=False)
    finally:
        for _, entries in levels:
            entries.close()
