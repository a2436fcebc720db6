"""The identity of this deployment in memory."""

import dataclasses
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from ports.deployment import Deployment, Task

_numbers = itertools.count(1)


class MemoryDeployments:
    """`Deployments` in memory."""

    def __init__(self, changes: Callable[[], int] = lambda: 0) -> None:
        """`changes` returns how many changes the database has recorded."""
        self._deployment = _new()
        self._busy: set[Task] = set()
        self._changes = changes

    async def read(self) -> Deployment:
        return dataclasses.replace(self._deployment, changes=self._changes())

    async def claim(self, at: datetime) -> None:
        self._deployment = dataclasses.replace(self._deployment, claimed_at=at)

    async def announce_generation(self, next_generation: str, *, after: str) -> bool:
        present = self._deployment
        if present.generation != after or present.next_generation not in (None, next_generation):
            return False
        self._deployment = dataclasses.replace(present, next_generation=next_generation)
        return True

    async def begin_generation(self, generation: str, changes: int) -> bool:
        if self._deployment.next_generation != generation:
            return False
        self._deployment = dataclasses.replace(
            self._deployment, generation=generation, next_generation=None, changes_marked=changes
        )
        return True

    async def begin_sweep(self, at: datetime) -> None:
        self._deployment = dataclasses.replace(self._deployment, sweep_began_at=at)

    async def record_sweep(self, at: datetime) -> None:
        self._deployment = dataclasses.replace(self._deployment, swept_at=at)

    async def renew(self) -> Deployment:
        kept = self._deployment
        self._deployment = dataclasses.replace(
            _new(), swept_at=kept.swept_at, sweep_began_at=kept.sweep_began_at, secret_check=kept.secret_check
        )
        return self._deployment

    async def record_secret(self, check: bytes, *, replace: bool = False) -> None:
        if replace or self._deployment.secret_check is None:
            self._deployment = dataclasses.replace(self._deployment, secret_check=check)

    @asynccontextmanager
    async def exclusive(self, task: Task) -> AsyncIterator[bool]:
        if task in self._busy:
            yield False
            return
        self._busy.add(task)
        try:
            yield True
        finally:
            self._busy.remove(task)


def _new() -> Deployment:
    number = next(_numbers)
    return Deployment(
        id=f"deployment-{number}",
        claimed_at=None,
        generation=f"generation-{number}",
        next_generation=None,
        changes=0,
        is_settled=True,
        changes_marked=None,
        issued_since=datetime.min.replace(tzinfo=UTC),
        swept_at=None,
        sweep_began_at=None,
        secret_check=None,
    )
