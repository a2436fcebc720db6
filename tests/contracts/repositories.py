"""The repositories of each technology: in memory, in Postgres, and in Postgres as two processes use them."""

import itertools
from typing import Any

from adapters.postgres.api_keys import PostgresApiKeys
from adapters.postgres.database import Database
from adapters.postgres.deployments import PostgresDeployments
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.reads import Reads
from adapters.postgres.retention import PostgresRetention
from adapters.postgres.workspaces import PostgresWorkspaces
from ports.documents import DocumentRepository
from ports.system import Clock
from tests.clock import StillClock
from tests.contracts.records import HASHING_KEY, REPOSITORIES, Records
from tests.memory import memory_ports


class TwoProcesses(PostgresDocuments):
    """Two repositories that share only the database, as in two processes. Each gets every other write."""

    def __init__(self, database: Database, now: Clock) -> None:
        super().__init__(database, Reads(database), now, HASHING_KEY)
        processes = itertools.cycle([PostgresDocuments(database, self._reads, now, HASHING_KEY) for _ in range(2)])

        def alternating(method: str) -> Any:
            return lambda *arguments, **named: getattr(next(processes), method)(*arguments, **named)

        changes = ("patch", "delete", "add_link", "remove_link", "move_folder", "delete_folder")
        for name in ("issue_upload", "create", *changes):
            setattr(self, name, alternating(name))


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
    return postgres_records(database, clock, TwoProcesses(database, clock))
