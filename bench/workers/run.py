"""The same requests to one worker and to two, each with a tenth of a core.

A machine with two cores has no room for two workers, Postgres and the load generator. So each worker gets so small a
share of a core that everything else has more CPU than it can use, as it would on a machine with many cores. What two
workers then lack to twice the rate of one is what they share: locks, connections, or calls with fewer rows.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.postgres.statements import RECORD_DOCUMENTS
from bench import load, servers
from bench.contenders import MANY, MOST, Sample, Service
from bench.cpu import process_seconds, spawned
from bench.crowd import Crowd, create_workspaces, upload_model
from bench.library import CREATE, READ, Library, record
from bench.postgres import Postgres
from bench.servers import free_port, running
from bench.valkey import open_valkey
from bench.workers.quota import can_limit, limited

DATABASE = "workers"
STUBBED = "workers_stubbed"
DATABASES = (DATABASE,)
"""The databases to prepare. The other one is a copy."""

SHARE = 0.1
WARM_UP_SECONDS = 1
COUNTS = (1, 2)
CONNECTIONS = MOST
"""The connections per worker."""
_READ_EACH = 5
_IDLE = 0.05
"""The most seconds of CPU that an idle worker uses in a second."""

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Case:
    """A request to workers. `stubbed`: the database function of a create answers at once and records nothing."""

    request: str
    workspaces: int
    stubbed: bool = False

    @property
    def name(self) -> str:
        return f"{self.request}, {self.workspaces} workspaces{', stubbed database' if self.stubbed else ''}"


CASES = (Case(CREATE, MANY, stubbed=True), Case(CREATE, 1), Case(CREATE, MANY), Case(READ, MANY))


@dataclass(frozen=True, slots=True)
class Figures:
    """One run, and the share of the CPU of all workers that the busiest one took: 1 ÷ their number, if they share the
    connections evenly."""

    sample: Sample
    busiest: float
    rows: float | None
    """The creates that share a call of the database; `None` if the case records none."""


Results = dict[tuple[Case, int], list[Figures]]
"""All figures by case and number of workers, one per round."""


@dataclass(frozen=True, slots=True)
class _Store:
    """A database, and the crowds whose objects are in the store of its servers."""

    settings: dict[str, str]
    database: str
    crowds: dict[int, Crowd]
    recorded: dict[int, int]
    library: Library | None

    async def run(self, postgres: Postgres, workers: int, cases: list[Case], seconds: int, note: Note) -> list[Figures]:
        """Return the figures of the cases against a new server."""
        port = free_port()
        command = servers.dossier(port, workers)
        async with running(f"{self.database}-{workers}", port, command, self.settings) as server:
            service = Service(f"{workers} workers", server, postgres, self.database, self.recorded)
            pids = await _started(server.pid, workers)
            found = []
            for case in cases:
                # On a busy machine, a new server may answer nothing in this time.
                with suppress(load.Refused):
                    await self._send(service, case, workers, WARM_UP_SECONDS)
                with limited(pids, SHARE):
                    before, calls = [process_seconds(pid) for pid in pids], await _calls(postgres)
                    sample = await self._send(service, case, workers, seconds)
                    used = [process_seconds(pid) - start for pid, start in zip(pids, before, strict=True)]
                    calls = await _calls(postgres) - calls
                records = case.request == CREATE and not case.stubbed
                rows = sample.rate * seconds / calls if records and calls else None
                found.append(Figures(sample, max(used) / sum(used), rows))
                note(
                    f"{case.name}, {workers} workers: {sample.rate:,.0f}/s, p50 {sample.p50_ms:.2f} ms, "
                    f"p99 {sample.p99_ms:.2f} ms, the busiest takes {found[-1].busiest:.0%} of the CPU"
                )
        return found

    async def _send(self, service: Service, case: Case, workers: int, seconds: int) -> Sample:
        crowd, connections = self.crowds[case.workspaces], CONNECTIONS * workers
        await service.postgres.settle()
        if case.request == READ:
            assert self.library is not None
            requests = self.library.requests(READ, service.server.url)
            return await service.repeat(requests, connections=connections, seconds=seconds)
        first = service.prepare(crowd, seconds * load.MAX_CREATES_PER_SECOND)
        sample, answers = await service.measure(
            load.start(
                service.server.url, crowd, first=first, connections=connections, seconds=seconds, idempotent=True
            )
        )
        service.advance(crowd, answers.issued)
        return sample


async def measure_workers(directory: Path, postgres: Postgres, rounds: int, seconds: int, note: Note) -> Results:
    """Measure on servers, databases and stores of their own, below `directory`."""
    results: Results = {}
    if not can_limit():
        note("no workers: only root may give processes a share of a core")
        return results
    note("workers: preparing")
    async with _prepared(directory, postgres) as stores:
        order = list(COUNTS)
        for _ in range(rounds):
            for workers in order:
                for store in stores:
                    cases = [case for case in CASES if case.stubbed == (store.database == STUBBED)]
                    found = await store.run(postgres, workers, cases, seconds, note)
                    for case, figures in zip(cases, found, strict=True):
                        results.setdefault((case, workers), []).append(figures)
            order.reverse()
    return results


@asynccontextmanager
async def _prepared(directory: Path, postgres: Postgres) -> AsyncIterator[list[_Store]]:
    async with AsyncExitStack() as stack:
        await asyncio.to_thread(directory.mkdir)
        valkey = await stack.enter_async_context(open_valkey(directory))
        settings = {
            "DOSSIER_DATA_DIR": str(directory),
            "DOSSIER_DATABASE_URL": postgres.url(DATABASE),
            "DOSSIER_RATE_LIMIT_URL": valkey.url,
            "DOSSIER_STORAGE_URL": (directory / DATABASE).as_uri(),
        }
        members = await create_workspaces(settings, 1 + MANY)
        await postgres.create_database(STUBBED, template=DATABASE)
        await _stub(postgres)
        stores = []
        for database in (DATABASE, STUBBED):
            root = directory / database
            own = settings | {"DOSSIER_DATABASE_URL": postgres.url(database), "DOSSIER_STORAGE_URL": root.as_uri()}
            port = free_port()
            async with running(f"{database}-preparing", port, servers.dossier(port), own) as server:
                uploaded = await upload_model(server.url, members[0])
                model = Path("workspaces") / uploaded.relative_to("workspaces")
                crowds = {1: Crowd(members[:1], root, model), MANY: Crowd(members[1:], root, model)}
                recorded, library = {}, None
                if database == DATABASE:
                    recorded[id(crowds[MANY])] = count = MANY * _READ_EACH
                    library = await record(server.url, crowds[MANY], count, directory / database)
            stores.append(_Store(own, database, crowds, recorded, library))
        yield stores


async def _calls(postgres: Postgres) -> int:
    """Return the number of transactions so far that wrote something. Each call of a create is one."""
    return int(await postgres.sql("postgres", "SELECT pg_snapshot_xmax(pg_current_snapshot())"))


async def _started(server: int, workers: int) -> list[int]:
    """Return the worker processes once all have started. A single worker is the server itself.

    Workers start one after the other, and the first one already answers. A worker that has started is idle.
    """
    pids: list[int] = [server]
    used, before = [0.0], [-1.0]
    while len(pids) < workers or any(now - then > _IDLE for now, then in zip(used, before, strict=True)):
        await asyncio.sleep(1)
        found = spawned(server) if workers > 1 else [server]
        before = used if found == pids else [-1.0] * len(found)
        pids, used = found, [process_seconds(pid) for pid in found]
    return pids


async def _stub(postgres: Postgres) -> None:
    """Replace the database function of a create by one that answers at once."""
    called = re.search(r"FROM (\w+)\(", RECORD_DOCUMENTS)
    assert called is not None
    shape = "SELECT pg_get_function_arguments(oid), pg_get_function_result(oid) FROM pg_proc WHERE proname = "
    arguments, result = (await postgres.sql(STUBBED, f"{shape} '{called[1]}'")).split("|")
    answer = "SELECT 'created', NULL::jsonb FROM generate_series(1, jsonb_array_length(batch))"
    await postgres.sql(
        STUBBED, f"CREATE OR REPLACE FUNCTION {called[1]}({arguments}) RETURNS {result} LANGUAGE sql AS $${answer}$$"
    )
