"""The identity of a deployment, as its database knows it. It detects copies and restored dumps.

The object store holds a mark with the same identity: see `domain.use_cases.claim_store`.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol


class Task(Enum):
    """What at most one process of a deployment does at a time."""

    SWEEP = "sweep"
    ADVANCE_GENERATION = "advance generation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One database and one object store that belong together.

    `id` is the same in both, once the database has claimed the store. `claimed_at` is when it did; `None` before.
    `generation` is replaced soon after every change, in both. `next_generation` is `None` except during a replacement.
    `changes` counts what the database has recorded. It never decreases, except in a database that was restored.
    `changes_marked` is what it was when the present generation began; `None` if not known. `issued_since` is from when
    on the ledger holds every upload that was issued. `swept_at` is when the last complete sweep listed all objects;
    `None` before the first one.
    """

    id: str
    claimed_at: datetime | None
    generation: str
    next_generation: str | None
    changes: int
    changes_marked: int | None
    issued_since: datetime
    swept_at: datetime | None


class Deployments(Protocol):
    """The one row in which a database keeps its `Deployment`."""

    async def read(self) -> Deployment:
        """Return the deployment of this database. A new database has a new id and has claimed no store."""
        ...

    async def claim(self, at: datetime) -> None:
        """Record when the database claimed its store."""
        ...

    async def announce_generation(self, next_generation: str) -> None:
        """Record the generation that follows, so that the database knows it before the store does."""
        ...

    async def begin_generation(self, generation: str, changes: int) -> None:
        """Make this the present generation. It began when the database had recorded `changes`. None is announced."""
        ...

    async def record_sweep(self, at: datetime) -> None:
        """Record when a sweep listed all objects."""
        ...

    async def renew(self) -> Deployment:
        """Replace the deployment by a new one, with a new id and generation, that has claimed no store. Return it."""
        ...

    def exclusive(self, task: Task) -> AbstractAsyncContextManager[bool]:
        """Try to take the lock of a task for the block. Yield whether this process got it.

        The lock is held by at most one of all processes that share the database. A process that loses its connection
        to the database also loses the lock, without notice.
        """
        ...
