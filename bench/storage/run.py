"""The order of the object-storage part: in each round all requests to both stores, the calls, and the large file."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from bench import servers
from bench.postgres import Postgres
from bench.storage import large_file
from bench.storage.cases import FILES, REQUESTS, S3, Store, open_stores
from bench.storage.report import StorageResults
from bench.storage.stub import ACCESS_KEY, SECRET_KEY

WARM_UP_SECONDS = 1

Note = Callable[[str], None]


async def measure_storage(directory: Path, postgres: Postgres, rounds: int, seconds: int, note: Note) -> StorageResults:
    """Measure on servers and databases of its own, below `directory`."""
    results = StorageResults()
    note("object storage: preparing")
    async with open_stores(directory, postgres) as stores:
        order = [(request_name, store) for request_name in REQUESTS for store in stores.values()]
        for request_name, store in order:
            await store.run(request_name, WARM_UP_SECONDS)
        for round_ in range(1, rounds + 1):
            for request_name, store in order:
                figures = await store.run(request_name, seconds)
                results.figures.setdefault((request_name, store.name), []).append(figures)
                note(
                    f"round {round_}/{rounds}, {request_name}, {store.name}: {figures.rate:,.0f}/s, "
                    f"p50 {figures.p50_ms:.2f} ms, p99 {figures.p99_ms:.2f} ms, {figures.python_us:,.0f} us of Python"
                )
            results.calls.append(await _measure_calls(stores[S3], seconds))
            note(", ".join(f"{name} {microseconds:,.0f} us" for name, microseconds in results.calls[-1].items()))
            await _measure_large_file(stores[FILES], results, note)
            # Alternate the order, as in the part about creates.
            order.reverse()
    return results


async def _measure_calls(store: Store, seconds: int) -> dict[str, float]:
    assert store.stub is not None
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.storage.calls", store.stub.url, str(seconds)),
        cwd=servers.REPOSITORY,
        env=servers.environment({"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("bench.storage.calls failed")
    found: dict[str, float] = json.loads(output)
    return found


async def _measure_large_file(store: Store, results: StorageResults, note: Note) -> None:
    if not large_file.has_room(store.crowd.root):
        note(f"no large file: the disk has less than {large_file.NEEDED_BYTES // 2**30} GiB free")
        return
    disk_first = len(results.transfers) % 2 == 1
    found = await large_file.transfer(store.service, store.crowd.members[0], store.crowd.root, disk_first=disk_first)
    results.transfers.append(found)
    note(
        f"{large_file.FILE_BYTES // 2**30} GiB: up {found.upload_mb_s:,.0f} MB/s (the disk {found.write_mb_s:,.0f}), "
        f"down {found.download_mb_s:,.0f} MB/s (the disk {found.read_mb_s:,.0f}), "
        f"memory {found.growth / 2**20:+.1f} MiB"
    )
