"""What a database knows of the deployment it belongs to, so that it is told from a copy of it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One database and one object store that belong together.

    `id` is the same in both once the store is claimed, since `claimed_at`. `turn` changes with every sweep, in both;
    `next_turn` is there while it does. `swept_at` is when everything was last looked at.
    """

    id: str
    claimed_at: datetime | None
    generation: str
    next_generation: str | None
    swept_at: datetime | None


class Deployments(Protocol):
    async def read(self) -> Deployment:
        """The deployment of this database. A new database has a new id, and has claimed nothing."""
        ...

    async def claim(self, at: datetime) -> None:
        """Note since when the store bears the mark of this deployment."""
        ...

    async def set_generation(self, generation: str, next_generation: str | None) -> None:
        """Keep these turns in the place of those before."""
        ...

    async def record_sweep(self, at: datetime) -> None:
        """Note when everything was looked at."""
        ...

    async def renew(self) -> Deployment:
        """Be another deployment from now on, with a new id and generation, which has claimed nothing."""
        ...

    def exclusive(self) -> AbstractAsyncContextManager[bool]:
        """For the block: `True` if no other process is in such a block, of all that share the database.

        It may become untrue when the connection to the database is lost.
        """
        ...
