"""The repositories of each technology: in memory, in Postgres, and in Postgres as two processes use them."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from adapters.postgres.api_keys import PostgresApiKeys
from adapters.postgres.database import Database
from adapters.postgres.deployments import PostgresDeployments
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.reads import Reads
from adapters.postgres.retention import PostgresRetention
from adapters.postgres.workspaces import PostgresWorkspaces
from domain.access import Workspace
from domain.documents import Document
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import CreateOutcome
from ports.system import Clock
from tests.clock import StillClock
from tests.contracts.records import HASHING_KEY, REPOSITORIES, Records, new_key
from tests.memory import memory_ports


class TwoProcesses(PostgresDocuments):
    """Two repositories that share only the database, as in two processes. Each gets every other write.

    Beside each create, its process creates a document in a workspace of its own. So calls carry several workspaces.
    """

    def __init__(self, database: Database, now: Clock) -> None:
        super().__init__(database, Reads(database), now, HASHING_KEY)
        self._processes = [PostgresDocuments(database, self._reads, now, HASHING_KEY) for _ in range(2)]
        self._numbers = itertools.count()
        self.beside: Callable[[int], Awaitable[tuple[Document, Intent]]]

        def alternating(method: str) -> Any:
            return lambda *arguments, **named: getattr(self._next()[1], method)(*arguments, **named)

        changes = ("patch", "delete", "add_link", "remove_link", "move_folder", "delete_folder")
        for name in ("issue_upload", *changes):
            setattr(self, name, alternating(name))

    async def create(self, document: Document, intent: Intent) -> CreateOutcome:
        number, process = self._next()
        other = await self.beside(number)
        _, outcome = await asyncio.gather(process.create(*other), process.create(document, intent))
        return outcome

    def _next(self) -> tuple[int, PostgresDocuments]:
        number = next(self._numbers)
        return number, self._processes[number % 2]


def memory_records(clock: StillClock) -> Records:
    """Return the repositories in memory, empty."""
    ports = memory_ports(clock)
    return Records(**{name: getattr(ports, name) for name in REPOSITORIES}, clock=clock)


def postgres_records(database: Database, clock: StillClock, documents: DocumentRepository | None = None) -> Records:
    """Return the repositories in a migrated database."""
    reads = Reads(database)
    return Records(
        PostgresWorkspaces(database),
        PostgresApiKeys(database, reads, clock, HASHING_KEY),
        documents or PostgresDocuments(database, reads, clock, HASHING_KEY),
        PostgresLedger(database),
        PostgresRetention(database),
        PostgresDeployments(database),
        clock,
    )


def two_processes_records(database: Database, clock: StillClock) -> Records:
    """Return the repositories in a migrated database, as two processes use them."""
    documents = TwoProcesses(database, clock)
    records = postgres_records(database, clock, documents)
    homes: dict[int, Workspace] = {}

    async def beside(number: int) -> tuple[Document, Intent]:
        if (home := homes.get(number % 2)) is None:
            home = homes[number % 2] = await records.workspace(quota_bytes=2**40)
        return records.document(home, path=f"{number}", folder=f"/{number % 9}"), records.intent(home, new_key())

    documents.beside = beside
    return records
