"""The command line and the order of a run: `python -m bench --help`, or `make bench`."""

import argparse
import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from adapters.postgres.migrate import migrate
from bench import servers
from bench.admission import cases as admission_cases
from bench.admission.run import measure_admission
from bench.ceiling.pgbench import BARE_TABLE, Pgbench
from bench.chart import chart
from bench.contenders import CONTENDERS, DOSSIER, FLOOR, MANY, MOST, PEER, Service, cases
from bench.cpu import machine
from bench.crowd import Crowd, create_workspaces, upload_model
from bench.growth.cases import SIZES
from bench.growth.run import measure_growth
from bench.growth.workspaces import measure_workspaces
from bench.load import Refused, require_wrk
from bench.memory import measure_memory
from bench.postgres import Postgres, open_postgres
from bench.report import Results, table, write
from bench.servers import free_port, running
from bench.storage import cases as storage_cases
from bench.storage.run import measure_storage

STORAGE = "object storage"
ADMISSION = "admission"
GROWTH = "growth"
WORKSPACES = "growth of the number of workspaces"
"""The names by which `--only` selects the parts that do not load creates over HTTP."""

WARM_UP_SECONDS = 1
BUSY = 0.5
"""The load average of the last minute above which the machine counts as busy."""

# The peer gets the same tenants and API keys: its tables have the same columns.
_SEEDED = (
    ("workspaces", "id, name, owner_id, plan, created_at"),
    ("usage", "workspace_id, quota_bytes"),
    (
        "api_keys",
        "workspace_id, id, user_id, name, prefix, digest, permissions, tier, created_at, expires_at, revoked_at",
    ),
)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run. `only` is part of the name of a contender or of another part; empty selects all."""

    rounds: int
    seconds: int
    creates: int
    results: Path
    only: str
    most: int
    """Documents in the largest workspace or deployment of the parts about growth; 0 skips them."""

    def wants(self, contender: str) -> bool:
        """Return whether to measure this contender or part."""
        return self.only.lower() in contender.lower()

    @property
    def wants_servers(self) -> bool:
        """Return whether any selected part needs the servers."""
        return any(map(self.wants, (*CONTENDERS, STORAGE, ADMISSION)))

    def wants_growth(self, part: str) -> bool:
        """Return whether to measure a part about growth, which needs only Postgres."""
        return self.most > 0 and self.wants(part)


@dataclass(frozen=True, slots=True)
class Bench:
    """The running contenders, and the workspaces of their load."""

    postgres: Postgres
    settings: dict[str, str]
    dossier: Service
    peer: Service
    floor: Service
    ceiling: Pgbench
    single: Crowd
    many: Crowd
    third: Crowd
    """The workspace for the measurement of memory."""
    lone: str
    """The workspace of lone.py, in the database `lone`."""

    async def measure(self, options: Options, results: Results) -> None:
        """Measure every case once per round, in alternating order, so that no case always follows the same one."""
        order = [
            (case, run)
            for case, run in cases(
                dossier=self.dossier,
                peer=self.peer,
                floor=self.floor,
                ceiling=self.ceiling,
                single=self.single,
                many=self.many,
            )
            if options.wants(case.contender)
        ]
        for service in {case.contender for case, _ in order} & {DOSSIER, PEER, FLOOR}:
            await self._warm_up(service)
        for round_ in range(1, options.rounds + 1):
            for number, (case, run) in enumerate(order, 1):
                sample = await run(options.seconds)
                results.add(case, sample)
                note(
                    f"round {round_}/{options.rounds}, {number}/{len(order)}: {case.contender}, "
                    f"{case.workspaces} workspaces, {case.connections} connections"
                    f"{', idempotency keys' if case.idempotent else ''}: "
                    f"{sample.rate:,.0f}/s, p50 {sample.p50_ms:.2f} ms"
                )
            if options.wants(DOSSIER):
                results.lone.append(await self._measure_lone(options.seconds))
            order.reverse()

    async def _warm_up(self, name: str) -> None:
        service = {DOSSIER: self.dossier, PEER: self.peer, FLOOR: self.floor}[name]
        for crowd in (self.single, self.many):
            for idempotent in (True, False):
                await service.run(crowd, connections=MOST, idempotent=idempotent, seconds=WARM_UP_SECONDS)

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


@asynccontextmanager
async def prepared(directory: Path, postgres: Postgres) -> AsyncIterator[Bench]:
    """Prepare everything that the servers need in `directory`, and run them until the end of the block."""
    note("preparing databases, workspaces and servers")
    url = await postgres.create_database("dossier")
    await migrate(url)
    for database in ("ceiling", "lone", *storage_cases.DATABASES, admission_cases.DATABASE):
        await postgres.create_database(database, template="dossier")
    await postgres.create_database("peer")
    await postgres.sql("ceiling", BARE_TABLE)

    files = directory / "files"
    settings = {
        "DOSSIER_DATA_DIR": str(directory),
        "DOSSIER_DATABASE_URL": url,
        "DOSSIER_STORAGE_URL": files.as_uri(),
    }
    members = await create_workspaces(settings, MANY + 2)
    ceiling, lone = [
        (await create_workspaces(settings | {"DOSSIER_DATABASE_URL": postgres.url(database)}, 1))[0].workspace_id
        for database in ("ceiling", "lone")
    ]
    of_peer = settings | {
        "PEER_DATABASE_URL": postgres.url("peer", "postgresql+asyncpg"),
        "PEER_FILES": str(files),
    }
    ports = free_port(), free_port(), free_port()
    async with (
        running("dossier", ports[0], servers.dossier(ports[0]), settings) as dossier,
        running("peer", ports[1], servers.peer(ports[1]), of_peer) as peer,
        running("floor", ports[2], servers.floor(ports[2]), settings) as floor,
    ):
        await _seed_peer(postgres)
        model = Path("workspaces") / (await upload_model(dossier.url, members[0])).relative_to("workspaces")
        yield Bench(
            postgres=postgres,
            settings=settings,
            dossier=Service(DOSSIER, dossier, postgres, "dossier"),
            peer=Service(PEER, peer, postgres, "peer"),
            floor=Service(FLOOR, floor, postgres, None),
            ceiling=Pgbench(postgres, "ceiling", ceiling),
            single=Crowd(members[:1], files, model),
            third=Crowd(members[1:2], files, model),
            many=Crowd(members[2:], files, model),
            lone=lone,
        )


async def _seed_peer(postgres: Postgres) -> None:
    for name, columns in _SEEDED:
        rows = await postgres.sql("dossier", f"COPY {name} ({columns}) TO STDOUT")
        await postgres.sql("peer", f"COPY {name} ({columns}) FROM STDIN", rows + "\n")


async def run(options: Options, directory: Path) -> Results:
    """Measure every selected part. Every process is stopped before the function returns."""
    load = os.getloadavg()[0]
    if load > BUSY:
        note(f"this machine runs other work (load {load:.1f}), which will distort the figures")
    async with open_postgres(directory / "postgres") as postgres:
        results = Results(await _conditions(options, load, postgres))
        if options.wants_servers:
            async with prepared(directory, postgres) as bench:
                await _load_servers(bench, options, directory, results)
        # These parts are last, so that no server shares the machine with them.
        if options.wants_growth(GROWTH):
            results.growth = await measure_growth(directory / "growth", postgres, options.rounds, options.most, note)
        if options.wants_growth(WORKSPACES):
            results.workspaces = await measure_workspaces(directory / "growth", postgres, options.most, note)
        return results


async def _load_servers(bench: Bench, options: Options, directory: Path, results: Results) -> None:
    await bench.measure(options, results)
    if options.creates and options.wants(DOSSIER):
        await bench.watch_memory(options, results)
    if options.wants(STORAGE):
        results.storage = await measure_storage(
            directory / "storage", bench.postgres, options.rounds, options.seconds, note
        )
    if options.wants(ADMISSION):
        results.admission = await measure_admission(
            directory / "admission", bench.postgres, options.rounds, options.seconds, note
        )


async def _conditions(options: Options, load: float, postgres: Postgres) -> dict[str, Any]:
    commit = await asyncio.to_thread(
        subprocess.run,
        [shutil.which("git") or "git", "describe", "--always", "--dirty"],
        cwd=servers.REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return machine() | {
        "load_before": load,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "python": platform.python_version(),
        "postgres": "Postgres " + await postgres.sql("postgres", "SHOW server_version"),
        "fsync": await postgres.sql("postgres", "SHOW fsync"),
        "synchronous_commit": await postgres.sql("postgres", "SHOW synchronous_commit"),
        "commit": commit.stdout.strip(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def note(line: str) -> None:
    """Write a line of progress to standard error."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench", description="Measure Dossier beside Postgres alone, a bare handler and a plain service."
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="length of each run")
    parser.add_argument(
        "--creates", type=int, default=200_000, help="creates while memory is measured; 0 skips that part"
    )
    parser.add_argument(
        "--results", type=Path, default=servers.REPOSITORY / "bench" / "results", help="folder of the results"
    )
    parser.add_argument(
        "--only",
        default="",
        help="measure one part: part of a contender's name, or storage, admission, growth, workspaces",
    )
    parser.add_argument(
        "--most",
        type=int,
        default=SIZES[-1],
        help="documents in the largest workspace or deployment of the parts about growth; 0 skips them",
    )
    options = Options(**vars(parser.parse_args()))
    if options.wants_servers:
        require_wrk()
    if sys.platform != "linux":
        sys.exit("make bench needs Linux: it reads CPU and memory from /proc")
    # The prefix is short because a socket's path must be. The folder is on a disk because the benchmark measures fsync.
    directory = Path(tempfile.mkdtemp(prefix="dsr-bench-"))
    try:
        # Use the event loop of the server, because the growth part runs in this process.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            results = runner.run(run(options, directory))
        files = write(options.results, results, chart(results))
        sys.stdout.write(table(results) + "\n")
        note("written: " + ", ".join(map(str, files)))
    except KeyboardInterrupt:
        sys.exit(130)
    except Refused as refused:
        sys.exit(f"benchmark stopped: {refused}")
    finally:
        note("removing the data")
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
