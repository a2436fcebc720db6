"""A disk in memory, with as much free space as a test needs."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class MemoryDisks:
    """`Disks` with the disk of an object store, or with none if `free` is `None`."""

    free: int | None = None
    floor_bytes: int = 0

    async def are_full(self, needed_bytes: int) -> bool:
        return self.free is not None and self.floor_bytes > 0 and self.free - needed_bytes < self.floor_bytes

    async def free_bytes(self) -> Mapping[str, int]:
        return {} if self.free is None else {"object store": self.free}
