"""The contenders of the benchmark, and how to run one under a load."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import load
from bench.cpu import family_seconds
from bench.crowd import Crowd
from bench.library import CREATE, Library, record
from bench.postgres import Postgres
from bench.servers import Server, log_tail

DOSSIER = "Dossier"
PEER = "FastAPI + SQLAlchemy"
LEAN = "FastAPI + asyncpg"
FLOOR = "bare Litestar handler"
BEFORE = "Dossier before"
"""Another checkout of Dossier, which the option `--before` names."""
ONE_STATEMENT = "pgbench, one statement"
SIX_STATEMENTS = "pgbench, six statements"
BARE_INSERT = "pgbench, bare INSERT"
CONTENDERS = (DOSSIER, PEER, LEAN, BEFORE, FLOOR, ONE_STATEMENT, SIX_STATEMENTS, BARE_INSERT)

MOST = 32
"""The connections of most cases."""
MANY = 100
THOUSAND = 1000
"""The numbers of workspaces of the cases with more than one workspace."""
_STILL_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Case:
    """A contender under one load. `idempotent`: each create carries an idempotency key, and so leaves a receipt."""

    contender: str
    workspaces: int
    connections: int
    idempotent: bool
    request: str = CREATE


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: requests per second, latencies in milliseconds, CPU in microseconds per request."""

    rate: float
    p50_ms: float
    p99_ms: float
    python_us: float | None
    postgres_us: float | None


Run = Callable[[int], Awaitable[Sample]]
"""Run a case for a number of seconds."""


@dataclass(slots=True)
class Service:
    """A contender over HTTP, and its progress in each crowd. Without a database it records nothing."""

    name: str
    server: Server
    postgres: Postgres
    database: str | None
    recorded: dict[int, int] = field(default_factory=dict)
    libraries: dict[int, Library] = field(default_factory=dict)
    """The documents to read, by the identity of their crowd."""

    async def run(self, crowd: Crowd, *, connections: int, idempotent: bool, seconds: int) -> Sample:
        """Load the contender for `seconds`.

        Raises:
            Refused: a create was refused, or the number of responses does not match the number of recorded rows.
        """
        first = self.prepare(crowd, seconds * load.MAX_CREATES_PER_SECOND)
        await self.postgres.settle()
        rows = await self.settled_rows()
        sample, answers = await self.measure(
            load.start(
                self.server.url, crowd, first=first, connections=connections, seconds=seconds, idempotent=idempotent
            )
        )
        self.advance(crowd, answers.issued)
        if self.database is not None:
            self._compare(answers, await self._rows() - rows)
        return sample

    async def repeat(self, requests: Path, *, connections: int, seconds: int) -> Sample:
        """Repeat the requests in the file, which record no documents.

        Raises:
            Refused: a request was refused.
        """
        await self.postgres.settle()
        sample, _ = await self.measure(
            load.start_repeating(self.server.url, requests, connections=connections, seconds=seconds)
        )
        return sample

    async def shelve(self, crowd: Crowd, count: int, directory: Path) -> None:
        """Record the documents of a crowd that `library` reads, with their requests in `directory`."""
        files = directory / f"{self.database}-{crowd.members[0].workspace_id}"
        self.libraries[id(crowd)] = await record(self.server.url, crowd, count, files)
        self.recorded[id(crowd)] = count

    async def measure(self, starting: Awaitable[Process]) -> tuple[Sample, load.Answers]:
        """Return the figures of a run of wrk that is starting. Raises as `load.finish` does."""
        python, postgres = family_seconds(self.server.pid), self.postgres.cpu_seconds()
        try:
            answers = await load.finish(await starting)
        except load.Refused as refused:
            raise load.Refused(f"{self.name}: {refused}\n{log_tail(self.server)}") from refused
        python, postgres = family_seconds(self.server.pid) - python, self.postgres.cpu_seconds() - postgres
        sample = Sample(
            rate=answers.requests / answers.seconds,
            p50_ms=answers.p50_ms,
            p99_ms=answers.p99_ms,
            python_us=python / answers.requests * 1e6,
            postgres_us=None if self.database is None else postgres / answers.requests * 1e6,
        )
        return sample, answers

    def prepare(self, crowd: Crowd, creates: int) -> int:
        """Store objects at the next `creates` paths, and return the number of the first."""
        first = self.recorded.get(id(crowd), 0)
        if self.database is not None:
            crowd.stock(first + creates)
        return first

    def advance(self, crowd: Crowd, creates: int) -> None:
        """Mark the paths of a run as used."""
        self.recorded[id(crowd)] = self.recorded.get(id(crowd), 0) + creates

    async def _rows(self) -> int:
        return 0 if self.database is None else await self.postgres.documents(self.database)

    async def settled_rows(self) -> int:
        """Return the number of rows once it stops growing: a slow service may still process earlier requests."""
        rows, before = await self._rows(), -1
        while rows != before:
            await asyncio.sleep(_STILL_SECONDS)
            rows, before = await self._rows(), rows
        return rows

    def _compare(self, answers: load.Answers, recorded: int) -> None:
        # At the end of the time, a few requests were still running. Their documents were recorded, but wrk read no
        # response.
        if not answers.requests <= recorded <= answers.issued:
            raise load.Refused(f"{self.name}: {answers.requests} creates were answered, but {recorded} were recorded")
