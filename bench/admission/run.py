"""The order of this part: in each round every request to every way of admission."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from bench.admission.cases import CREATE, REQUESTS, WAYS, prepared
from bench.admission.report import AdmissionResults
from bench.postgres import Postgres
from bench.valkey import open_valkey

Note = Callable[[str], None]


async def measure_admission(
    directory: Path, postgres: Postgres, rounds: int, seconds: int, note: Note
) -> AdmissionResults:
    """On a database and servers of its own, which lie below `directory`."""
    results = AdmissionResults()
    note("admission: preparing")
    await asyncio.to_thread(directory.mkdir)
    async with open_valkey(directory) as valkey, prepared(directory, postgres, valkey) as bench:
        # What is asked of the database anyway would hide what a key costs there.
        order = [(way, wanted) for wanted in REQUESTS for way in WAYS if not (way.cold and wanted == CREATE)]
        for round_ in range(1, rounds + 1):
            for way, wanted in order:
                figures = await bench.run(way, wanted, seconds)
                results.figures.setdefault((wanted, way), []).append(figures)
                note(
                    f"round {round_}/{rounds}, {wanted}, {way.name}: {figures.rate:,.0f}/s, "
                    f"p50 {figures.p50_ms:.2f} ms, {figures.python_us:,.0f} us of Python"
                )
            # Who goes first changes, as in the part about creates.
            order.reverse()
    return results
