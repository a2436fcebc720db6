"""The benchmark calls the adapter's statement of a create directly, and runs seldom. So this test runs a part of it."""

import asyncio
import json
import sys

import pytest

from adapters.postgres.database import Database
from tests.clock import StillClock
from tests.contracts.repositories import postgres_records


@pytest.mark.slow
async def test_the_benchmark_of_a_lone_create_uses_the_present_statement(database: Database, database_url: str) -> None:
    workspace = await postgres_records(database, StillClock()).workspace(quota_bytes=2**40)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.lone", database_url, str(workspace.id), "0.1"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert json.loads(output)["pairs"] > 0
