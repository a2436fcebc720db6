"""The identity of a deployment, as its database stores it. By it, a copied or restored database is detected.

The object store holds a mark with the same identity: see `domain.use_cases.claim_store`.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One database and one object store that belong together.

    `id` is the same in both, once the database has claimed the store. `claimed_at` is the time of that claim; `None`
    before it. Every sweep replaces `generation`, in both. `next_generation` is `None` except while a sweep replaces it.
    `swept_at` is the time at which the last complete sweep had listed all objects; `None` before the first sweep.
    """

    id: str
    claimed_at: datetime | None
    generation: str
    next_generation: str | None
    swept_at: datetime | None


class Deployments(Protocol):
    """The one row in which a database keeps its `Deployment`."""

    async def read(self) -> Deployment:
        """Return the deployment of this database. A new database has a new id and has claimed no store."""
        ...

    async def claim(self, at: datetime) -> None:
        """Record the time at which the database claimed its store."""
        ...

    async def set_generation(self, generation: str, next_generation: str | None) -> None:
        """Replace both generations."""
        ...

    async def record_sweep(self, at: datetime) -> None:
        """Record the time at which a sweep had listed all objects."""
        ...

    async def renew(self) -> Deployment:
        """Replace the deployment with one that has a new id and generation, and has claimed no store. Return the new
        one."""
        ...

    def exclusive(self) -> AbstractAsyncContextManager[bool]:
        """Try to take the deployment's lock for the block.

        Yield whether this process got it. Of all processes that share the database, at most one holds the lock. A
        process that loses its connection to the database also loses the lock, without notice.
        """
        ...
