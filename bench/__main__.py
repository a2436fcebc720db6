"""The order of a run: `python -m bench --help`, or `make bench`."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from bench import servers
from bench.admission.run import measure_admission
from bench.chart import chart
from bench.comparison import create_databases, prepared
from bench.contenders import DOSSIER
from bench.cpu import machine
from bench.growth.run import measure_growth
from bench.growth.workspaces import measure_workspaces
from bench.load import Refused, require_wrk
from bench.options import ADMISSION, GROWTH, STORAGE, WORKERS, WORKSPACES, Options, note, read_options
from bench.postgres import Postgres, open_postgres
from bench.report import Results, table, write
from bench.storage.run import measure_storage
from bench.workers.run import measure_workers

BUSY = 0.5
"""The load average of the last minute above which the machine counts as busy."""


async def run(options: Options, directory: Path) -> Results:
    """Measure every selected part. Every process is stopped before the function returns."""
    load = os.getloadavg()[0]
    if load > BUSY:
        note(f"this machine runs other work (load {load:.1f}), which will distort the figures")
    async with open_postgres(directory / "postgres") as postgres:
        results = Results(await _conditions(options, load, postgres))
        if options.wants_servers:
            await create_databases(postgres)
            await _load_servers(options, directory, postgres, results)
        # These parts are last, so that no server shares the machine with them.
        if options.wants_growth(GROWTH):
            results.growth = await measure_growth(directory / "growth", postgres, options.rounds, options.most, note)
        if options.wants_growth(WORKSPACES):
            results.workspaces = await measure_workspaces(directory / "growth", postgres, options.most, note)
        results.conditions["load_after"] = os.getloadavg()[0]
        return results


async def _load_servers(options: Options, directory: Path, postgres: Postgres, results: Results) -> None:
    if options.wants_comparison:
        async with prepared(directory, postgres, options) as comparison:
            await comparison.measure(options, results)
            if options.creates and options.wants(DOSSIER):
                await comparison.watch_memory(options, results)
    rounds, seconds = options.rounds, options.seconds
    if options.wants(STORAGE):
        results.storage = await measure_storage(directory / "storage", postgres, rounds, seconds, note)
    if options.wants(ADMISSION):
        results.admission = await measure_admission(directory / "admission", postgres, rounds, seconds, note)
    if options.wants(WORKERS):
        results.workers = await measure_workers(directory / "workers", postgres, rounds, seconds, note)


async def _conditions(options: Options, load: float, postgres: Postgres) -> dict[str, Any]:
    return machine() | {
        "load_before": load,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "python": await _output(sys.executable, "requirements/interpreter.py", "describe"),
        "postgres": "Postgres " + await postgres.sql("postgres", "SHOW server_version"),
        "fsync": await postgres.sql("postgres", "SHOW fsync"),
        "synchronous_commit": await postgres.sql("postgres", "SHOW synchronous_commit"),
        "commit": await _output(shutil.which("git") or "git", "describe", "--always", "--dirty"),
        "date": datetime.now(UTC).date().isoformat(),
    }


async def _output(*command: str) -> str:
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=servers.REPOSITORY, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def main() -> None:
    options = read_options()
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
