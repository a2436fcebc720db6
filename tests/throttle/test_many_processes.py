"""Promise 16: the limit is exact over processes."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.valkey import ValkeyServer

PROCESSES, REQUESTS, LIMIT = 4, 200, 100


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(3))
async def test_four_processes_with_200_requests_each_admit_exactly_the_limit(
    valkey: ValkeyServer, subject: str, round_: int
) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.throttle.counting", valkey.url, subject, str(LIMIT), str(REQUESTS)),
            cwd=Path(__file__).parents[2],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"open\n"
        outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
    counts = [[int(word) for word in output.split()] for output, _ in outputs]
    assert sum(admitted for admitted, _ in counts) == LIMIT
    assert sum(fallbacks for _, fallbacks in counts) == 0
