"""The order of the growth part. Each round measures every case at all sizes in turns, so that noise affects all sizes
equally."""

import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from adapters.in_process.system import utc_now
from adapters.postgres.database import open_database
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.migrate import migrate
from adapters.postgres.reads import Reads
from bench.crowd import create_workspaces
from bench.facts import HASHING_KEY
from bench.growth.author import Author
from bench.growth.cases import READS, SIZES, WRITES, Case, Target
from bench.growth.filling import Filled, add_tree, fill
from bench.growth.plans import CapturedStatement, CapturingDatabase, explain
from bench.growth.report import Call, GrowthResults
from bench.postgres import Postgres
from ports.system import Unavailable

CALLS = 40
"""The calls of each case at each size in a round, unless they take longer than `CASE_SECONDS`."""
CROWDS = 6
FIRST_CROWDS = 12
"""Calls that do not count: enough that entries gathered for the indexes are moved once, on pages that a checkpoint has
just written.
"""
CASE_SECONDS = 3.0
WARM_UP = 2

Note = Callable[[str], None]


async def measure_growth(directory: Path, postgres: Postgres, rounds: int, most: int, note: Note) -> GrowthResults:
    """Measure on databases of its own: one per size, and a copy of each that is changed."""
    sizes = [size for size in SIZES if size < most] + [max(most, SIZES[0])]
    results = GrowthResults(sizes)
    async with prepared(directory, postgres, sizes, note) as targets:
        gc.collect()
        gc.freeze()
        cases = [*READS, *WRITES]
        for target in targets:
            for _ in range(FIRST_CROWDS):
                await target.author.create_many()
        for round_ in range(1, rounds + 1):
            for case in cases:
                await _measure(case, targets, results)
                note(f"round {round_}/{rounds}, {case.name}: {results.reported(case)}")
            # Alternate the order, as in the part about creates.
            cases.reverse()
            targets.reverse()
        largest = max(targets, key=lambda target: target.filled.size)
        results.plans = {
            case.name: await _plans(case, largest, postgres) for case in (*READS, *WRITES) if case.at_once == 1
        }
    return results


async def _measure(case: Case, targets: list[Target], results: GrowthResults) -> None:
    for target in targets:
        for _ in range(WARM_UP if case.at_once == 1 else 0):
            await _call(case, target)
    end = time.perf_counter() + CASE_SECONDS
    for _ in range(CALLS if case.at_once == 1 else CROWDS):
        for target in targets:
            results.add(case, target.filled.size, await _call(case, target))
        if time.perf_counter() > end:
            break


async def _call(case: Case, target: Target) -> Call:
    began = time.perf_counter()
    passed, in_time = None, True
    try:
        passed = await case.call(target)
    except Unavailable:
        in_time = False
    milliseconds = (time.perf_counter() - began) * 1000 / case.at_once
    if in_time and case.hits is not None and passed != case.hits:
        raise RuntimeError(f"{case.name}: {passed} of {target.filled.size} documents passed instead of {case.hits}")
    return Call(milliseconds, passed, in_time)


async def _plans(case: Case, target: Target, postgres: Postgres) -> list[str]:
    capturing = CapturingDatabase()
    documents = PostgresDocuments(capturing, Reads(capturing), utc_now, HASHING_KEY)
    try:
        await case.call(Target(target.filled, documents, Author(documents, target.filled)))
    except CapturedStatement as asked:
        database = f"{target.filled.database}_changed" if case in WRITES else target.filled.database
        return await explain(postgres, database, asked)
    raise AssertionError(f"{case.name} sends no statement to the database")


@asynccontextmanager
async def prepared(directory: Path, postgres: Postgres, sizes: list[int], note: Note) -> AsyncIterator[list[Target]]:
    """Prepare workspaces of these sizes."""
    url = await postgres.create_database("growth")
    await migrate(url)
    settings = {
        "DOSSIER_DATA_DIR": str(directory),
        "DOSSIER_DATABASE_URL": url,
        "DOSSIER_STORAGE_URL": (directory / "files").as_uri(),
    }
    workspace = (await create_workspaces(settings, 1))[0].workspace_id
    filled: list[Filled] = []
    for size in sizes:
        database = f"growth_{size}"
        await postgres.create_database(database, template="growth")
        note(f"growth: filling a workspace with {size:,} documents")
        filled.append(await fill(postgres, database, workspace, size))
        await postgres.create_database(f"{database}_changed", template=database)
        await add_tree(postgres, f"{database}_changed", filled[-1])
    await postgres.settle()
    async with AsyncExitStack() as stack:
        targets = []
        for each in filled:
            reads, changed = [
                PostgresDocuments(opened, Reads(opened, kept_bytes=0), utc_now, HASHING_KEY)
                for database in (each.database, f"{each.database}_changed")
                for opened in [await stack.enter_async_context(open_database(postgres.url(database)))]
            ]
            targets.append(Target(each, reads, Author(changed, each)))
        yield targets
