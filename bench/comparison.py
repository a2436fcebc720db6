"""The comparison of Dossier with its contenders: what it prepares, and the order in which it measures."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.postgres.migrate import migrate
from bench import servers
from bench.admission import cases as admission_cases
from bench.cases import Contenders
from bench.ceiling.pgbench import BARE_TABLE, Pgbench
from bench.contenders import BEFORE, DOSSIER, FLOOR, LEAN, MANY, MOST, PEER, THOUSAND, Service
from bench.crowd import Crowd, create_workspaces, upload_model
from bench.memory import measure_memory
from bench.neighbours import Neighbours
from bench.options import NEIGHBOURS, Options, note
from bench.postgres import Postgres
from bench.report import Results
from bench.servers import free_port, running
from bench.storage import cases as storage_cases
from bench.workers import run as workers

WARM_UP_SECONDS = 1
_CROWDS = (1, MANY, THOUSAND, 1, 1, 50)
"""The number of workspaces of each crowd. No two crowds share one, because each numbers its paths from zero."""

# The other services get the same tenants and API keys: their tables have the same columns.
_SEEDED = (
    ("workspaces", "id, name, owner_id, plan, created_at"),
    ("usage", "workspace_id, quota_bytes"),
    (
        "api_keys",
        "workspace_id, id, user_id, name, prefix, digest, permissions, tier, created_at, expires_at, revoked_at",
    ),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The running contenders, and the workspaces of their load."""

    postgres: Postgres
    settings: dict[str, str]
    contenders: Contenders
    neighbours: Neighbours
    third: Crowd
    """The workspace for the measurement of memory."""
    lone: str
    """The workspace of lone.py, in the database `lone`."""

    async def measure(self, options: Options, results: Results) -> None:
        """Measure every case once per round, in alternating order, so that no case always follows the same one."""
        order = [(case, run) for case, run in self.contenders.cases() if options.wants(case.contender)]
        for name, service in self.contenders.services.items():
            if options.wants(name):
                await self._warm_up(service)
        for round_ in range(1, options.rounds + 1):
            for number, (case, run) in enumerate(order, 1):
                sample = await run(options.seconds)
                results.add(case, sample)
                note(
                    f"round {round_}/{options.rounds}, {number}/{len(order)}: {case.contender}, {case.request}, "
                    f"{case.workspaces} workspaces, {case.connections} connections"
                    f"{', idempotency keys' if case.idempotent else ''}: "
                    f"{sample.rate:,.0f}/s, p50 {sample.p50_ms:.2f} ms, p99 {sample.p99_ms:.2f} ms"
                )
            if options.wants(DOSSIER):
                results.lone.append(await self._measure_lone(options.seconds))
            if options.wants(NEIGHBOURS):
                results.neighbours.append(await self.neighbours.measure(options.seconds, note))
            order.reverse()

    async def _warm_up(self, service: Service) -> None:
        for crowd in (self.contenders.single, self.contenders.many):
            if service.name != BEFORE:
                await service.run(crowd, connections=MOST, idempotent=True, seconds=WARM_UP_SECONDS)

    async def _measure_lone(self, seconds: int) -> dict[str, float]:
        await self.postgres.settle()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.lone", self.postgres.url("lone"), self.lone, str(seconds)),
            cwd=servers.REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError("bench.lone failed")
        found: dict[str, float] = json.loads(output)
        note(f"a lone create {found['batched_ms']:.3f} ms, its statement alone {found['direct_ms']:.3f} ms")
        return found

    async def watch_memory(self, options: Options, results: Results) -> None:
        """Measure memory on a new server that has answered no request before."""
        note(f"memory over {options.creates:,} creates")
        port = free_port()
        async with running("dossier-memory", port, servers.dossier(port), self.settings) as server:
            service = Service(DOSSIER, server, self.postgres, "dossier")
            results.memory = await measure_memory(service, self.third, options.creates)


async def create_databases(postgres: Postgres) -> None:
    """Create the databases of all parts that send HTTP requests."""
    await migrate(await postgres.create_database("dossier"))
    for database in (
        "ceiling",
        "lone",
        *storage_cases.DATABASES,
        admission_cases.DATABASE,
        *workers.DATABASES,
    ):
        await postgres.create_database(database, template="dossier")
    for database in ("peer", "lean", "before"):
        await postgres.create_database(database)
    await postgres.sql("ceiling", BARE_TABLE)


@asynccontextmanager
async def prepared(directory: Path, postgres: Postgres, options: Options) -> AsyncIterator[Comparison]:
    """Prepare everything that the contenders need in `directory`, and run them until the end of the block."""
    note("preparing workspaces and servers")
    files = directory / "files"
    settings = {
        "DOSSIER_DATA_DIR": str(directory),
        "DOSSIER_DATABASE_URL": postgres.url("dossier"),
        "DOSSIER_STORAGE_URL": files.as_uri(),
    }
    members = await create_workspaces(settings, sum(_CROWDS))
    ceiling, lone = [
        (await create_workspaces(settings | {"DOSSIER_DATABASE_URL": postgres.url(database)}, 1))[0].workspace_id
        for database in ("ceiling", "lone")
    ]
    of_peers = settings | {
        "PEER_DATABASE_URL": postgres.url("peer", "postgresql+asyncpg"),
        "LEAN_DATABASE_URL": postgres.url("lean"),
        "PEER_FILES": str(files),
    }
    async with AsyncExitStack() as stack:
        services = {}
        for name, database, command, environment in (
            (DOSSIER, "dossier", servers.dossier, settings),
            (PEER, "peer", servers.peer, of_peers),
            (LEAN, "lean", servers.lean, of_peers),
            (FLOOR, None, servers.floor, settings),
        ):
            port = free_port()
            server = await stack.enter_async_context(running(database or "floor", port, command(port), environment))
            services[name] = Service(name, server, postgres, database)
            if database in ("peer", "lean"):
                await _seed(postgres, database)
        model = Path("workspaces") / (await upload_model(services[DOSSIER].server.url, members[0])).relative_to(
            "workspaces"
        )
        homes = iter(members)
        single, many, thousand, memory, *near = [
            Crowd([next(homes) for _ in range(size)], files, model) for size in _CROWDS
        ]
        before = None
        if options.before is not None:
            services[BEFORE], before = await _start_before(stack, directory, postgres, options.before, single)
        contenders = Contenders(services, Pgbench(postgres, "ceiling", ceiling), single, many, thousand, before)
        note("recording the documents that are read")
        await asyncio.gather(
            *(
                services[name].shelve(crowd, count, directory)
                for name, crowd, count in contenders.read()
                if options.wants(name)
            )
        )
        yield Comparison(
            postgres=postgres,
            settings=settings,
            contenders=contenders,
            neighbours=Neighbours(services[DOSSIER], many, {len(crowd.members): crowd for crowd in near}),
            third=memory,
            lone=lone,
        )


async def _start_before(
    stack: AsyncExitStack, directory: Path, postgres: Postgres, checkout: Path, single: Crowd
) -> tuple[Service, Crowd]:
    """Start the Dossier of another checkout, with a database and a store of its own."""
    data = directory / "before"
    await asyncio.to_thread(data.mkdir, mode=0o700)
    settings = {
        "DOSSIER_DATA_DIR": str(data),
        "DOSSIER_DATABASE_URL": postgres.url("before"),
        "DOSSIER_STORAGE_URL": (data / "files").as_uri(),
        # The environment's own path names this checkout.
        "PYTHONPATH": f"{checkout}:{checkout / 'client'}",
    }
    await servers.run_once([sys.executable, "-m", "app.cli", "migrate"], settings, checkout)
    await _seed(postgres, "before")
    port = free_port()
    server = await stack.enter_async_context(running("before", port, servers.dossier(port), settings, checkout))
    model = Path("workspaces") / (await upload_model(server.url, single.members[0])).relative_to("workspaces")
    return Service(BEFORE, server, postgres, "before"), Crowd(single.members, data / "files", model)


async def _seed(postgres: Postgres, database: str) -> None:
    for name, columns in _SEEDED:
        rows = await postgres.sql("dossier", f"COPY {name} ({columns}) TO STDOUT")
        await postgres.sql(database, f"COPY {name} ({columns}) FROM STDIN", rows + "\n")
