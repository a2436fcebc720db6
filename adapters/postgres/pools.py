"""The connections of a process to Postgres, by their use. `app.wiring` gives each adapter those that it may use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.postgres.database import Database, open_database
from adapters.postgres.reads import Reads

REQUESTS = 10
"""The most connections for requests. `reads.py` lets reads take six of them. The others are left to creates, changes
and look-ups of API keys, which wait for a workspace lock only for a moment.
"""

LOCK_WAITS = 3
"""The most connections for statements that wait longer for a workspace lock."""

JOBS = 2
"""The most connections for what the server does by itself."""


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
        open_database(url, "dossier waits", size=LOCK_WAITS, opened=0) as patient,
        open_database(url, "dossier", size=REQUESTS, patient=patient) as requests,
        open_database(url, "dossier jobs", size=JOBS, opened=0) as jobs,
    ):
        yield Pools(requests, Reads(requests), jobs)
