"""A cache of API keys, and the database behind it."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from adapters.in_process.api_key_cache import ApiKeyCache
from domain.access import ApiKey
from domain.ids import WorkspaceId
from domain.rate_limits import Plan
from ports.api_keys import ApiKeyFound
from ports.system import Unavailable
from tests.domain.samples import FOREIGN, OWN

KEY, SIBLING, OTHER, UNKNOWN = (bytes([number]) * 32 for number in range(4))


class Stored:
    """An API key as the cache uses it. Each state of it differs from every other."""

    def __init__(self, digest: bytes, workspace: WorkspaceId) -> None:
        self.digest = digest
        self.workspace_id = workspace


class World:
    """The cache under test, and a database with two API keys of one workspace and one of another.

    A call waits while `answers` is not set, and fails while `fails` is true.
    """

    def __init__(self, keys_max: int = 3) -> None:
        self.time = 1000.0
        self.cache = ApiKeyCache(self, lambda: self.time, self._pause, keys_max)
        self.stored: dict[bytes, ApiKeyFound] = {}
        for digest, workspace in ((KEY, OWN), (SIBLING, OWN), (OTHER, FOREIGN)):
            self.change(digest, workspace)
        self.calls: list[set[bytes]] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.fails = False

    def change(self, digest: bytes, workspace: WorkspaceId = OWN) -> ApiKeyFound:
        self.stored[digest] = ApiKeyFound(cast("ApiKey", Stored(digest, workspace)), Plan.PRO)
        return self.stored[digest]

    async def find(self, digests: Sequence[bytes]) -> Sequence[ApiKeyFound]:
        self.calls.append(set(digests))
        read = [self.stored[digest] for digest in digests if digest in self.stored]
        # A test that sets another event meanwhile lets later calls answer first.
        answers = self.answers
        await answers.wait()
        if self.fails:
            raise Unavailable("away")
        return read

    async def get(self, digest: bytes = KEY, *, patient: bool = False) -> ApiKeyFound | None:
        """Return the API key as a request gets it."""
        return self.cache.known(digest) or await self.cache.look_up(digest, patient=patient)

    async def start(self, *digests: bytes, patient: bool = False) -> "list[asyncio.Task[ApiKeyFound | None]]":
        """Look up API keys in tasks of their own, and return once all of them wait."""
        tasks = [asyncio.create_task(self.get(digest, patient=patient)) for digest in digests]
        await settle()
        return tasks

    async def until_called(self, times: int) -> None:
        """Return once so many calls have begun: one that waits for a slow call begins a moment later."""
        async with asyncio.timeout(30):
            while len(self.calls) < times:  # noqa: ASYNC110  simpler than an event for each number
                await asyncio.sleep(0.001)

    async def _pause(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(10):
        await asyncio.sleep(0)


async def outcomes(tasks: "Sequence[asyncio.Task[ApiKeyFound | None]]") -> list[Any]:
    return await asyncio.gather(*tasks, return_exceptions=True)
