"""The connections of a process to Postgres, by their use. `app.wiring` gives each adapter those that it may use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.postgres.database import Database, open_database
from adapters.postgres.reads import Reads

REQUESTS = 10
JOBS = 2
"""The most connections of each pool. A process opens one at its start, and all others when it needs them."""

LOCK_WAITS = 3
"""The most writes at the same time that may wait for a workspace lock, at most one of each workspace. Each occupies a
connection meanwhile. The other connections for writes never wait for a workspace.
"""


@dataclass(frozen=True, slots=True)
class Pools:
    """The connections of a process.

    `writes`: everything that a create needs, so the look-up of API keys and all changes. `reads`: what clients read, on
    some of the same connections; the others are never used by reads. `jobs`: what the server does by itself, such as
    sweeping, and what only commands do, in a pool of its own.
    """

    writes: Database
    reads: Reads
    jobs: Database


@asynccontextmanager
async def open_pools(url: str) -> AsyncIterator[Pools]:
    """Open the pools for a `postgresql://` URL, and close them after the block. Raises as `open_database` does."""
    async with (
        open_database(url, "dossier", size=REQUESTS) as requests,
        open_database(url, "dossier jobs", size=JOBS, opened=0) as jobs,
    ):
        yield Pools(requests, Reads(requests), jobs)
