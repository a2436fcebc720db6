"""The cost of the writer for a lone create: `python -m bench.lone URL WORKSPACE SECONDS` prints JSON.

One process measures two calls in turns: a create through the repository, and the same statement awaited directly with
arguments made beforehand. So everything the repository does around its statement counts against it.
"""

import asyncio
import gc
import json
import statistics
import sys
import time
from collections.abc import Awaitable
from typing import TypeVar
from uuid import uuid4

import uvloop

from adapters.in_process.system import Ulids, utc_now
from adapters.postgres import statements
from adapters.postgres.creates import to_record
from adapters.postgres.database import Database, open_database
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.reads import Reads
from adapters.postgres.rows import to_uuid
from bench.facts import HASHING_KEY, sample
from domain.documents import Document
from domain.ids import decode_ulid
from domain.paths import FOLDER_LEVELS_MAX, FOLDERS_MAX
from ports.intents import Intent
from ports.outcomes import Created

WARM_UP = 50
"""Pairs before the first counted one: they open connections and prepare statements."""


T = TypeVar("T")


class Pairs:
    """Creates in one workspace, each of a new document."""

    def __init__(self, database: Database, workspace: str) -> None:
        self._database = database
        self._workspace = workspace
        self._documents = PostgresDocuments(database, Reads(database), utc_now, HASHING_KEY)
        self._new_id = Ulids()
        self._batched: list[float] = []
        self._direct: list[float] = []

    async def measure(self, seconds: float) -> dict[str, float]:
        """Return p50 and p99 in milliseconds, and the number of pairs."""
        for _ in range(WARM_UP):
            await self._pair()
        self._batched.clear()
        self._direct.clear()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            await self._pair()
        return {
            "batched_ms": statistics.median(self._batched) * 1000,
            "batched_p99_ms": _p99(self._batched) * 1000,
            "direct_ms": statistics.median(self._direct) * 1000,
            "direct_p99_ms": _p99(self._direct) * 1000,
            "pairs": len(self._batched),
        }

    async def _pair(self) -> None:
        # Alternate the order, because the second call finds warmer caches.
        if len(self._batched) % 2:
            await self._create()
            await self._fetch()
        else:
            await self._fetch()
            await self._create()

    async def _create(self) -> None:
        document, intent = self._next()
        outcome, seconds = await _timed(self._documents.create(document, intent))
        assert outcome == Created(document), outcome
        self._batched.append(seconds)

    async def _fetch(self) -> None:
        document, intent = self._next()
        batch = f"[{to_record(document, intent, HASHING_KEY)[0].decode()}]"
        arguments = [to_uuid(self._workspace)], batch, False, FOLDER_LEVELS_MAX, FOLDERS_MAX
        call = self._database.fetch(statements.RECORD_DOCUMENTS, *arguments)
        rows, seconds = await _timed(call)
        assert [row["outcome"] for row in rows] == ["created"]
        self._direct.append(seconds)

    def _next(self) -> tuple[Document, Intent]:
        ulid = self._new_id(utc_now())
        path = f"workspaces/{self._workspace}/documents/{ulid}"
        return sample(self._workspace, decode_ulid(ulid), path, str(uuid4()), utc_now)


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[98] if len(times) > 1 else times[0]


async def _timed(call: Awaitable[T]) -> tuple[T, float]:
    began = time.perf_counter()
    answer = await call
    return answer, time.perf_counter() - began


async def main(url: str, workspace: str, seconds: float) -> None:
    async with open_database(url) as database:
        gc.collect()
        gc.freeze()
        sys.stdout.write(json.dumps(await Pairs(database, workspace).measure(seconds)) + "\n")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
