"""The cases of the benchmark: every contender under every load, and how to run one."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import load
from bench.ceiling.pgbench import Pgbench
from bench.cpu import family_seconds
from bench.crowd import Crowd
from bench.postgres import Postgres
from bench.servers import Server, log_tail

DOSSIER = "Dossier"
PEER = "FastAPI + SQLAlchemy"
FLOOR = "bare Litestar handler"
ONE_STATEMENT = "pgbench, one statement"
SIX_STATEMENTS = "pgbench, six statements"
BARE_INSERT = "pgbench, bare INSERT"
CONTENDERS = (DOSSIER, PEER, FLOOR, ONE_STATEMENT, SIX_STATEMENTS, BARE_INSERT)

CONNECTIONS = (1, 8, 32)
MOST = 32
MANY = 100
"""Workspaces of the cases with more than one workspace."""
_STILL_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Case:
    """A contender under one load. `idempotent`: each create carries an idempotency key, and so leaves a receipt."""

    contender: str
    workspaces: int
    connections: int
    idempotent: bool


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
    _recorded: dict[int, int] = field(default_factory=dict)

    async def run(self, crowd: Crowd, *, connections: int, idempotent: bool, seconds: int) -> Sample:
        """Load the contender for `seconds`.

        Raises:
            Refused: a create was refused, or the number of responses does not match the number of recorded rows.
        """
        first = self.prepare(crowd, seconds * load.MAX_CREATES_PER_SECOND)
        await self.postgres.settle()
        rows = await self._settled_rows()
        sample, answers = await self._measure(
            load.start(
                self.server.url, crowd, first=first, connections=connections, seconds=seconds, idempotent=idempotent
            )
        )
        self.advance(crowd, answers)
        if self.database is not None:
            self._compare(answers, await self._rows() - rows)
        return sample

    async def repeat(self, request: Path, *, connections: int, seconds: int, keys: Path | None = None) -> Sample:
        """Repeat the one request in the file, which records nothing; with `keys`, one per API key of that file.

        Raises:
            Refused: a request was refused.
        """
        await self.postgres.settle()
        sample, _ = await self._measure(
            load.start_repeating(self.server.url, request, connections=connections, seconds=seconds, keys=keys)
        )
        return sample

    async def _measure(self, starting: Awaitable[Process]) -> tuple[Sample, load.Answers]:
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
        first = self._recorded.get(id(crowd), 0)
        if self.database is not None:
            crowd.stock(first + creates)
        return first

    def advance(self, crowd: Crowd, answers: load.Answers) -> None:
        """Mark the paths of a run as used."""
        self._recorded[id(crowd)] = self._recorded.get(id(crowd), 0) + answers.issued

    async def _rows(self) -> int:
        return 0 if self.database is None else await self.postgres.documents(self.database)

    async def _settled_rows(self) -> int:
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


def cases(
    *, dossier: Service, peer: Service, floor: Service, ceiling: Pgbench, single: Crowd, many: Crowd
) -> Iterator[tuple[Case, Run]]:
    """Yield all cases of a round. Each contender is next to those with which it is compared."""
    for connections in reversed(CONNECTIONS):
        for idempotent in (True, False):
            for crowd in (single, many):
                yield _over_http(dossier, crowd, connections, idempotent=idempotent)
                if idempotent or connections == MOST:
                    yield _over_http(peer, crowd, connections, idempotent=idempotent)
        if connections in (1, MOST):
            yield _over_http(floor, single, connections, idempotent=True)
            for name, script in (
                (ONE_STATEMENT, "one_statement"),
                (SIX_STATEMENTS, "six_statements"),
                (BARE_INSERT, "bare_insert"),
            ):
                yield _in_postgres(ceiling, name, script, connections)


def _over_http(service: Service, crowd: Crowd, connections: int, *, idempotent: bool) -> tuple[Case, Run]:
    async def run(seconds: int) -> Sample:
        return await service.run(crowd, connections=connections, idempotent=idempotent, seconds=seconds)

    return Case(service.name, len(crowd.members), connections, idempotent), run


def _in_postgres(ceiling: Pgbench, name: str, script: str, clients: int) -> tuple[Case, Run]:
    async def run(seconds: int) -> Sample:
        await ceiling.postgres.settle()
        before = ceiling.postgres.cpu_seconds()
        done = await ceiling.run(script, clients, seconds)
        return Sample(
            rate=done.rate,
            p50_ms=done.p50_ms,
            p99_ms=done.p99_ms,
            python_us=None,
            postgres_us=(ceiling.postgres.cpu_seconds() - before) / done.count * 1e6,
        )

    return Case(name, 1, clients, idempotent=script != "bare_insert"), run
