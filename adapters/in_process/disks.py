"""The free space of the directories of this machine that Dossier writes to."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ports.checks import CheckResult, Grade
from ports.system import Unavailable

STORE, DATABASE = "object store", "database"


@dataclass(frozen=True, slots=True)
class LocalDisks:
    """`Disks` of these directories. The keys of `directories` name the content: `STORE` or `DATABASE`.

    `floor_bytes` is the free space that uploads must leave; 0 for no limit.
    """

    directories: Mapping[str, Path]
    floor_bytes: int

    def are_full(self, needed_bytes: int) -> bool:
        """Return whether a disk would have less free space than the floor after an upload of `needed_bytes`."""
        return self.floor_bytes > 0 and any(
            # Only the disk of the store receives the bytes. If both directories are on it, its space decides.
            free - (needed_bytes if name == STORE else 0) < self.floor_bytes
            for name, free in self.free_bytes().items()
        )

    def free_bytes(self) -> Mapping[str, int]:
        """Return the free space for each directory, without directories whose disk cannot be read."""
        return {name: free for name, path in self.directories.items() if (free := _free_bytes(path)) is not None}

    async def probe(self) -> None:
        """Return if every disk has the free space of the floor.

        Raises:
            Unavailable: a disk has less. The text names it.
        """
        if low := self._low():
            raise Unavailable(low)

    def check(self) -> CheckResult | None:
        """Return the line of `dossier doctor`; `None` if Dossier writes to no disk of this machine."""
        if not self.directories:
            return None
        if low := self._low():
            return CheckResult("disk space", Grade.FAILED, low)
        free = ", ".join(f"{_gb(free)} for the {name}" for name, free in self.free_bytes().items())
        kept = f"uploads are refused below {_gb(self.floor_bytes)}" if self.floor_bytes else "no floor is set"
        return CheckResult("disk space", Grade.OK, f"{free or 'nothing'} free; {kept}")

    def _low(self) -> str | None:
        low = [
            f"{_gb(free)} free for the {name}, at {self.directories[name]}"
            for name, free in self.free_bytes().items()
            if free < self.floor_bytes
        ]
        if not low:
            return None
        return (
            f"{'; '.join(low)}: less than {_gb(self.floor_bytes)} (DOSSIER_MIN_FREE_BYTES), so uploads are refused; "
            "free some space"
        )


def _free_bytes(path: Path) -> int | None:
    """Return the free bytes of the file system of a directory, or of the nearest one above it that exists."""
    try:
        found = os.statvfs(path)
    except FileNotFoundError:
        # Not `path.parents`: this runs for every upload, and a list of all parents takes longer than the call.
        return None if path == path.parent else _free_bytes(path.parent)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 10**9:,.1f} GB"
