"""The order of the admission part: in each round, every request to every variant."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from bench.admission.cases import CREATE, REQUESTS, VARIANTS, prepared
from bench.admission.report import AdmissionResults
from bench.postgres import Postgres
from bench.valkey import open_valkey

Note = Callable[[str], None]


async def measure_admission(
    directory: Path, postgres: Postgres, rounds: int, seconds: int, note: Note
) -> AdmissionResults:
    """Measure on a database and servers of its own, below `directory`."""
    results = AdmissionResults()
    note("admission: preparing")
    await asyncio.to_thread(directory.mkdir)
    async with open_valkey(directory) as valkey, prepared(directory, postgres, valkey) as bench:
        # The quota query of other requests would hide the cost of looking up an API key.
        order = [
            (variant, request_name)
            for request_name in REQUESTS
            for variant in VARIANTS
            if not (variant.cold and request_name == CREATE)
        ]
        for round_ in range(1, rounds + 1):
            for variant, request_name in order:
                figures = await bench.run(variant, request_name, seconds)
                results.figures.setdefault((request_name, variant), []).append(figures)
                note(
                    f"round {round_}/{rounds}, {request_name}, {variant.name}: {figures.rate:,.0f}/s, "
                    f"p50 {figures.p50_ms:.2f} ms, p99 {figures.p99_ms:.2f} ms, {figures.python_us:,.0f} us of Python"
                )
            # Alternate the order, as in the part about creates.
            order.reverse()
    return results
