"""Calls that begin together."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def at_once(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Begin all calls together and return their results in order."""
    waiting = list(calls)
    barrier = asyncio.Barrier(len(waiting))

    async def begin(call: Awaitable[T]) -> T:
        await barrier.wait()
        return await call

    return await asyncio.gather(*map(begin, waiting))
