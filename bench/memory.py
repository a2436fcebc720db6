"""The test whether the server's memory grows: its resident memory during up to 200,000 creates."""

import asyncio
from dataclasses import dataclass

from bench import load
from bench.contenders import MOST, Service
from bench.cpu import resident_bytes
from bench.crowd import Crowd

SAMPLES = 10
SETTLED = 2
"""The sample after which the server has allocated everything it keeps: buffers, caches, all its connections."""

# Each poll starts a psql. More frequent polls would slow down the server they observe.
_POLL_SECONDS = 0.5
_LONGEST_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Memory:
    """Pairs of the number of answered creates and the resident bytes at that time. The first pair is that of the idle
    server."""

    creates: list[int]
    resident: list[int]

    @property
    def growth(self) -> float:
        """Return the growth between the sample that counts as settled and the last one, as a fraction."""
        return self.resident[-1] / self.resident[SETTLED] - 1


async def measure_memory(service: Service, crowd: Crowd, creates: int) -> Memory:
    """Sample ten times, once every tenth of `creates`, with 32 connections and idempotency keys."""
    step = creates // SAMPLES
    memory = Memory([0], [resident_bytes(service.server.pid)])
    # A poll comes a little late, so a few more creates are sent than requested.
    first = service.prepare(crowd, creates + load.MAX_CREATES_PER_SECOND * 2)
    await service.postgres.settle()
    assert service.database is not None
    before = await service.postgres.documents(service.database)
    wrk = await load.start(
        service.server.url, crowd, first=first, connections=MOST, seconds=_LONGEST_SECONDS, idempotent=True
    )
    try:
        while len(memory.creates) <= SAMPLES and wrk.returncode is None:
            await asyncio.sleep(_POLL_SECONDS)
            recorded = await service.postgres.documents(service.database) - before
            if recorded >= step * len(memory.creates):
                memory.creates.append(recorded)
                memory.resident.append(resident_bytes(service.server.pid))
    finally:
        if wrk.returncode is None:
            load.stop(wrk)
    service.advance(crowd, (await load.finish(wrk)).issued)
    return memory
