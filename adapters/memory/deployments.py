"""The identity of this deployment in memory."""

import dataclasses
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from ports.deployment import Deployment

_numbers = itertools.count(1)


class MemoryDeployments:
    """`Deployments` in memory."""

    def __init__(self) -> None:
        self._deployment = _new()
        self._is_busy = False

    async def read(self) -> Deployment:
        return self._deployment

    async def claim(self, at: datetime) -> None:
        self._deployment = dataclasses.replace(self._deployment, claimed_at=at)

    async def set_generation(self, generation: str, next_generation: str | None) -> None:
        self._deployment = dataclasses.replace(self._deployment, generation=generation, next_generation=next_generation)

    async def record_sweep(self, at: datetime) -> None:
        self._deployment = dataclasses.replace(self._deployment, swept_at=at)

    async def renew(self) -> Deployment:
        kept = self._deployment
        self._deployment = dataclasses.replace(_new(), swept_at=kept.swept_at, secret_check=kept.secret_check)
        return self._deployment

    async def record_secret(self, check: bytes, *, replace: bool = False) -> None:
        if replace or self._deployment.secret_check is None:
            self._deployment = dataclasses.replace(self._deployment, secret_check=check)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[bool]:
        if self._is_busy:
            yield False
            return
        self._is_busy = True
        try:
            yield True
        finally:
            self._is_busy = False


def _new() -> Deployment:
    number = next(_numbers)
    return Deployment(
        id=f"deployment-{number}",
        claimed_at=None,
        generation=f"generation-{number}",
        next_generation=None,
        swept_at=None,
        secret_check=None,
    )
