"""The connections of a process to Postgres, in pools by their use. `app.wiring` gives each adapter its pools."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.postgres.database import Database, open_database
from adapters.postgres.reads import Reads

WRITES = 5
READS = 4
JOBS = 2
"""The most connections of each pool. A process opens one for writes at its start, and all others when it needs them."""


@dataclass(frozen=True, slots=True)
class Pools:
    """The pools of a process. No statement waits for a connection because of the statements of another pool.

    `writes`: everything that a create needs, so the look-up of API keys and all changes. `reads`: what clients read.
    `jobs`: what the server does by itself, such as sweeping, and what only commands do.
    """

    writes: Database
    reads: Reads
    jobs: Database


@asynccontextmanager
async def open_pools(url: str) -> AsyncIterator[Pools]:
    """Open all pools for a `postgresql://` URL, and close them after the block. Raises as `open_database` does."""
    async with (
        open_database(url, "dossier", size=WRITES) as writes,
        open_database(url, "dossier reads", size=READS, opened=0) as reads,
        open_database(url, "dossier jobs", size=JOBS, opened=0) as jobs,
    ):
        yield Pools(writes, Reads(reads, READS), jobs)
