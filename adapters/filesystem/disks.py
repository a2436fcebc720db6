"""The free space of the directories of this machine that Dossier writes to."""

import asyncio
import os
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from adapters.filesystem.threads import PATIENCE, Threads
from ports.checks import CheckResult, Grade
from ports.system import Unavailable

STORE, DATABASE = "object store", "database"

FRESH_SECONDS = 0.1
"""How long a measurement is used, so that only few requests wait for a thread."""

MEASURE_SECONDS = 1.0
"""The longest time of a measurement. A disk that takes longer counts as one that cannot be read."""


class LocalDisks:
    """`Disks` of these directories. The keys of `directories` name the content: `STORE` or `DATABASE`.

    `floor_bytes` is the free space that uploads must leave; 0 for no limit.
    """

    def __init__(self, directories: Mapping[str, Path], floor_bytes: int) -> None:
        self.floor_bytes = floor_bytes
        self._directories = directories
        self._disks = {name: _Disk(directory) for name, directory in directories.items()}

    async def are_full(self, needed_bytes: int) -> bool:
        """Return whether a disk would have less free space than the floor after an upload of `needed_bytes`."""
        return self.floor_bytes > 0 and any(
            # Only the disk of the store receives the bytes. If both directories are on it, its space decides.
            free - (needed_bytes if name == STORE else 0) < self.floor_bytes
            for name, free in (await self.free_bytes()).items()
        )

    async def free_bytes(self) -> Mapping[str, int]:
        """Return the free space for each directory, without directories whose disk cannot be read."""
        measured = await asyncio.gather(*(disk.free_bytes() for disk in self._disks.values()))
        return {name: free for name, free in zip(self._disks, measured, strict=True) if free is not None}

    async def probe(self) -> None:
        """Return if every disk has the free space of the floor.

        Raises:
            Unavailable: a disk has less. The text names it.
        """
        if low := self._low(await self.free_bytes()):
            raise Unavailable(low)

    async def check(self) -> CheckResult | None:
        """Return the line of `dossier doctor`; `None` if Dossier writes to no disk of this machine."""
        if not self._directories:
            return None
        measured = await self.free_bytes()
        if low := self._low(measured):
            return CheckResult("disk space", Grade.FAILED, low)
        free = ", ".join(f"{_gb(free)} for the {name}" for name, free in measured.items())
        kept = f"uploads are refused below {_gb(self.floor_bytes)}" if self.floor_bytes else "no floor is set"
        return CheckResult("disk space", Grade.OK, f"{free or 'nothing'} free; {kept}")

    def _low(self, measured: Mapping[str, int]) -> str | None:
        low = [
            f"{_gb(free)} free for the {name}, at {self._directories[name]}"
            for name, free in measured.items()
            if free < self.floor_bytes
        ]
        if not low:
            return None
        return (
            f"{'; '.join(low)}: less than {_gb(self.floor_bytes)} (DOSSIER_MIN_FREE_BYTES), so uploads are refused; "
            "free some space"
        )


class _Disk:
    """The free space of one directory. It is measured in a thread of its own, so that a disk that hangs delays no other
    one."""

    def __init__(self, directory: Path) -> None:
        self._measure = partial(_free_bytes, directory)
        self._threads = Threads("measure free space", 1, PATIENCE)
        self._free_bytes: int | None = None
        self._fresh_until = 0.0

    async def free_bytes(self) -> int | None:
        """Return the free bytes; `None` if they cannot be measured now."""
        if time.monotonic() >= self._fresh_until:
            try:
                self._free_bytes = await self._threads.run(self._measure, MEASURE_SECONDS)
            except Unavailable:
                self._free_bytes = None
            self._fresh_until = time.monotonic() + FRESH_SECONDS
        return self._free_bytes


def _free_bytes(path: Path) -> int | None:
    """Return the free bytes of the file system of a directory, or of the nearest one above it that exists."""
    try:
        found = os.statvfs(path)
    except FileNotFoundError:
        # Not `path.parents`: a list of all parents takes longer than the call.
        return None if path == path.parent else _free_bytes(path.parent)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 10**9:,.1f} GB"
