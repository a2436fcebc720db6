"""The free space of the disks that Dossier itself writes to."""

from collections.abc import Mapping
from typing import Protocol


class Disks(Protocol):
    """The disks of the directory store and of the embedded Postgres. A deployment with neither has no disk here."""

    async def are_full(self, needed_bytes: int) -> bool:
        """Return whether a disk has less free space than the operator wants to keep, or would have less
        after an upload of `needed_bytes`.

        The space may have been measured shortly before. So this usually takes a few microseconds, and may be called for
        every upload, and repeatedly during one.
        """
        ...

    async def free_bytes(self) -> Mapping[str, int]:
        """Return the free space of each disk, by the name of its content, without disks that cannot be read now."""
        ...
