"""The identity of a deployment, as its database stores it. By it, a copied or restored database is detected.

The object store holds a mark with the same identity: see `domain.use_cases.claim_store`.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol


class Task(Enum):
    """A background task that at most one process of a deployment runs at a time."""

    SWEEP = "sweep"
    ADVANCE_GENERATION = "advance generation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One database and one object store that belong together.

    `id` is the same in both, once the database has claimed the store. `claimed_at` is the time of that claim; `None`
    before it. `generation` is replaced soon after every change, in both. `next_generation` is `None` except during a
    replacement. `changes` counts the changes that the database has begun to record. It never decreases, except in a
    database that was restored. `is_settled` says whether every counted change had ended, by a commit or a rollback, at
    the time of the count. `changes_marked` is how many of them the present generation covers; `None` if it is not
    known. The ledger contains every upload that was issued after `issued_since`. `swept_at` is the time at which the
    last complete sweep had listed all objects; `None` before the first sweep. `sweep_began_at` is the time at which the
    last sweep began, complete or not. `secret_check` is 32 bytes that recognise the secret of the deployment; `None`
    before a server has started.
    """

    id: str
    claimed_at: datetime | None
    generation: str
    next_generation: str | None
    changes: int
    is_settled: bool
    changes_marked: int | None
    issued_since: datetime
    swept_at: datetime | None
    sweep_began_at: datetime | None
    secret_check: bytes | None


class Deployments(Protocol):
    """The one row in which a database keeps its `Deployment`."""

    async def read(self) -> Deployment:
        """Return the deployment of this database. A new database has a new id and has claimed no store."""
        ...

    async def claim(self, at: datetime) -> None:
        """Record the time at which the database claimed its store."""
        ...

    async def announce_generation(self, next_generation: str, *, after: str) -> bool:
        """Record the generation that follows `after`, so that the database knows it before the store does.

        Return `False`, and change nothing, if `after` is not the present generation or another one is announced.
        """
        ...

    async def begin_generation(self, generation: str, changes: int) -> bool:
        """Make the announced generation the present one. It covers the first `changes` changes.

        Return `False`, and change nothing, if this generation is not announced.
        """
        ...

    async def begin_sweep(self, at: datetime) -> None:
        """Record the time at which a sweep began."""
        ...

    async def record_sweep(self, at: datetime) -> None:
        """Record the time at which a sweep had listed all objects."""
        ...

    async def renew(self) -> Deployment:
        """Replace the deployment with one that has a new id and generation, and has claimed no store. Return the new
        one. The secret stays."""
        ...

    async def record_secret(self, check: bytes, *, replace: bool = False) -> None:
        """Record what recognises the secret. If that is recorded already, it stays unless `replace`."""
        ...

    def exclusive(self, task: Task) -> AbstractAsyncContextManager[bool]:
        """Try to take the lock of a task for the block.

        Yield whether this process got it. Of all processes that share the database, at most one holds the lock. A
        process that loses its connection to the database also loses the lock, without notice.
        """
        ...
