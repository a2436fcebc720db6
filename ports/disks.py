"""The free space of the disks that Dossier itself writes to."""

from collections.abc import Mapping
from typing import Protocol


class Disks(Protocol):
    """The disks of the directory store and of the embedded Postgres. Without either, there is none."""

    def are_full(self, needed_bytes: int) -> bool:
        """Return whether a disk has less free space than the operator wants to keep, or would have after an upload of
        so many bytes.

        A few microseconds: it may be called for every upload, and while one is received.
        """
        ...

    def free_bytes(self) -> Mapping[str, int]:
        """Return the free space of each disk, by what it holds. A disk that cannot be read is left out."""
        ...
