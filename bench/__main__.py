"""The order of a run: `python -m bench --help`, or `make bench`."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
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
from bench.load import require_wrk
from bench.options import ADMISSION, GROWTH, STORAGE, WORKERS, WORKSPACES, Options, note, read_options
from bench.postgres import Postgres, open_postgres
from bench.report import Results, table, write
from bench.storage.run import measure_storage
from bench.workers.run import measure_workers

BUSY = 0.5
"""The load average of the last minute above which the machine counts as busy."""


async def run(options: Options, directory: Path) -> Results:
    """Measure every selected part. Every process is stopped before the function returns.

    A part that fails is reported in `Results.failures`, and takes no other part's results with it.
    """
    load = os.getloadavg()[0]
    if load > BUSY:
        note(f"this machine runs other work (load {load:.1f}), which will distort the figures")
    async with open_postgres(directory / "postgres") as postgres:
        results = Results(await _conditions(options, load, postgres))
        if options.wants_servers:
            await create_databases(postgres)
        for name, measure in _parts(options, directory, postgres, results).items():
            try:
                await measure()
            except Exception:  # noqa: BLE001  the other parts have taken many minutes
                note(f"{name} failed:\n{traceback.format_exc()}")
                results.failures.append(name)
        results.conditions["load_after"] = os.getloadavg()[0]
        return results


def _parts(
    options: Options, directory: Path, postgres: Postgres, results: Results
) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return the selected parts. Those that need only Postgres are last: no server shares the machine with them."""
    rounds, seconds, most = options.rounds, options.seconds, options.most

    async def comparison() -> None:
        async with prepared(directory, postgres, options) as compared:
            await compared.measure(options, results)
            if options.creates and options.wants(DOSSIER):
                await compared.watch_memory(options, results)

    async def storage() -> None:
        results.storage = await measure_storage(directory / "storage", postgres, rounds, seconds, note)

    async def admission() -> None:
        results.admission = await measure_admission(directory / "admission", postgres, rounds, seconds, note)

    async def workers() -> None:
        results.workers = await measure_workers(directory / "workers", postgres, rounds, seconds, note)

    async def growth() -> None:
        results.growth = await measure_growth(directory / "growth", postgres, rounds, most, note)

    async def workspaces() -> None:
        results.workspaces = await measure_workspaces(directory / "growth", postgres, most, note)

    parts = {
        "comparison": (options.wants_comparison, comparison),
        STORAGE: (options.wants(STORAGE), storage),
        ADMISSION: (options.wants(ADMISSION), admission),
        WORKERS: (options.wants(WORKERS), workers),
        GROWTH: (options.wants_growth(GROWTH), growth),
        WORKSPACES: (options.wants_growth(WORKSPACES), workspaces),
    }
    return {name: measure for name, (is_wanted, measure) in parts.items() if is_wanted}


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
        if results.failures:
            sys.exit("failed: " + ", ".join(results.failures))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        note("removing the data")
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
