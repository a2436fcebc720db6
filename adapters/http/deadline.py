"""How long a request may take, once it has been read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ports.system import Unavailable

REQUEST_SECONDS = 7


@asynccontextmanager
async def deadline() -> AsyncIterator[None]:
    """Give up after seven seconds, as `Unavailable`: whether the write was made is not known, a retry will tell."""
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            yield
    except TimeoutError:
        raise Unavailable(f"no answer within {REQUEST_SECONDS} s") from None
