"""The steps of a migration: files of SQL, and rows that are rewritten in batches."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Connection = Any
"""A connection of asyncpg, in a transaction."""


@dataclass(slots=True)
class Progress:
    """How far a step has come. It is saved in the transaction of each batch, so a killed step continues there."""

    workspace: str | None = None
    is_within: bool = False
    """Whether more batches of this workspace follow."""
    after: Any = None
    """Where the next batch begins: any JSON value."""
    counts: dict[str, int] = field(default_factory=dict)
    """What the step reports at its end."""
    ends_at: float = 0.0
    """When the batch should end, by the clock of this process. Not saved."""

    def has_time(self) -> bool:
        """Return whether the batch may go on. If not, it should return, to release its locks."""
        return time.monotonic() < self.ends_at

    def add(self, count: str, number: int) -> None:
        """Add to a count."""
        self.counts[count] = self.counts.get(count, 0) + number

    def facts(self) -> dict[str, Any]:
        """Return what is saved, as JSON."""
        return {name: getattr(self, name) for name in ("workspace", "is_within", "after", "counts")}


def no_report(_: Progress) -> str | None:
    """Report nothing to the operator."""
    return None


@dataclass(frozen=True, slots=True)
class Batches:
    """Rows that are rewritten in bounded batches. Each batch is one transaction.

    `write` rewrites rows while `progress.has_time()`, updates the progress, and returns whether more batches follow. It
    is called again if it waits too long for a lock, so it must keep nothing in memory.
    `report` returns one sentence for the operator, or `None`.
    """

    name: str
    write: Callable[[Connection, Progress], Awaitable[bool]]
    report: Callable[[Progress], str | None] = no_report


BATCH_SECONDS = 0.1
"""How long a batch takes at most, if each of its statements is short. It may hold a workspace lock meanwhile."""


@dataclass(frozen=True, slots=True)
class Together:
    """A file of SQL whose statements are one short transaction, in which something is replaced by something else.

    Here, statements may also rename. They must still take no longer than an instant.
    """

    file: str


Step = str | Together | Batches
"""A file of SQL, relative to `adapters/postgres`, each statement of which is a step; or one of the others."""

_NEXT_WORKSPACE = "SELECT id FROM workspaces WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT 1"
_LOCK_WORKSPACE = "SELECT FROM usage WHERE workspace_id = $1 FOR NO KEY UPDATE"


def in_workspaces(
    name: str,
    write: Callable[[Connection, UUID, Progress], Awaitable[bool]],
    report: Callable[[Progress], str | None] = no_report,
) -> Batches:
    """Return batches that visit every workspace. `write` is called under the workspace lock, so no change is lost.

    It returns whether more batches of the workspace follow. `progress.after` is `None` at the beginning of each
    workspace.
    """

    async def batch(connection: Connection, progress: Progress) -> bool:
        workspace = UUID(progress.workspace) if progress.workspace else None
        if not progress.is_within:
            workspace = await connection.fetchval(_NEXT_WORKSPACE, workspace)
            progress.workspace, progress.after = str(workspace), None
        if workspace is None:
            return False
        await connection.execute(_LOCK_WORKSPACE, workspace)
        progress.is_within = await write(connection, workspace, progress)
        return True

    return Batches(name, batch, report)
