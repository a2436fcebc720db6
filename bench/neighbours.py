"""What one workspace does to the others: their rate and latencies without it, beside it, and while its lock is held."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

from adapters.postgres.rows import to_uuid
from bench import load
from bench.contenders import Sample, Service
from bench.crowd import Crowd

OTHERS_CONNECTIONS = 16
NEIGHBOUR_CONNECTIONS = 8
LONG = 4096
"""The characters of a long description: the most that the API accepts."""
_CREATES_PER_SECOND = 5_000
"""More creates per second than the neighbours reach."""
_STARTED_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Variation:
    """What the neighbours do: `workspaces` of them send creates, with descriptions of this length, or while their locks
    are held from outside."""

    name: str
    workspaces: int
    description: int = 0
    locked: bool = False


ALONE = Variation("nothing", 0)
SHORT = Variation("one workspace sends short creates", 1)
LENGTHY = Variation("one workspace sends 4 KB descriptions", 1, description=LONG)
LOCKED = Variation("one workspace's lock is held", 1, locked=True)
MANY_LOCKED = Variation("the locks of 50 workspaces are held", 50, locked=True)
VARIATIONS = (ALONE, SHORT, LENGTHY, LOCKED, MANY_LOCKED)


class Neighbours:
    """The others, on 16 connections, and their neighbours on 8: crowds by their number of workspaces."""

    def __init__(self, service: Service, others: Crowd, neighbours: Mapping[int, Crowd]) -> None:
        self._service = service
        self._others = others
        self._neighbours = neighbours

    async def measure(self, seconds: int, note: Callable[[str], None]) -> Mapping[str, Sample]:
        """Return the figures of the others for each variation."""
        found = {}
        for variation in VARIATIONS:
            sample = await self._run(variation, seconds)
            found[variation.name] = sample
            note(f"others while {variation.name}: {sample.rate:,.0f}/s, p99 {sample.p99_ms:.2f} ms")
        return found

    async def _run(self, variation: Variation, seconds: int) -> Sample:
        await self._service.settled_rows()
        await self._service.postgres.settle()
        first = self._service.prepare(self._others, seconds * load.MAX_CREATES_PER_SECOND)
        async with self._disturbed(variation, seconds) if variation.workspaces else nullcontext():
            sample, answers = await self._service.measure(
                load.start(
                    self._service.server.url,
                    self._others,
                    first=first,
                    connections=OTHERS_CONNECTIONS,
                    seconds=seconds,
                    idempotent=True,
                )
            )
        self._service.advance(self._others, answers.issued)
        return sample

    @asynccontextmanager
    async def _disturbed(self, variation: Variation, seconds: int) -> AsyncIterator[None]:
        crowd = self._neighbours[variation.workspaces]
        # How many of its creates are sent is not known, so all their paths count as used.
        first = self._service.prepare(crowd, creates := (seconds + 2) * _CREATES_PER_SECOND)
        self._service.advance(crowd, creates)
        homes = [str(to_uuid(member.workspace_id)) for member in crowd.members]
        assert self._service.database is not None
        locked = self._service.postgres.locked(self._service.database, homes) if variation.locked else nullcontext()
        async with locked:
            neighbour = await load.start(
                self._service.server.url,
                crowd,
                first=first,
                connections=NEIGHBOUR_CONNECTIONS,
                seconds=seconds + 2,
                idempotent=True,
                description=variation.description,
            )
            try:
                await asyncio.sleep(_STARTED_SECONDS)
                yield
            finally:
                await load.abort(neighbour)
