"""The background job that replaces the generation, so that a restored database is noticed."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from app.jobs.regularly import Pause, regularly
from domain.use_cases.generations import AdvanceGeneration, ForeignStore
from ports.system import Unavailable

ADVANCE_EVERY = timedelta(seconds=10)
"""The generation is replaced within this time after a change, so that a start with a dump from before it is refused."""

LAST_SECONDS = 2.0
"""The longest time for which the last replacement of the generation may delay the shutdown of the server."""

log = logging.getLogger("dossier.generation")


@asynccontextmanager
async def generation_advanced_regularly(
    advance: AdvanceGeneration, pause: Pause = asyncio.sleep
) -> AsyncIterator[None]:
    """Replace the generation in the background after changes, and once more at the end of the block."""
    async with regularly(advance, ADVANCE_EVERY, log, pause):
        yield
    try:
        async with asyncio.timeout(LAST_SECONDS):
            await advance()
    except TimeoutError:
        log.warning("the generation was not replaced at the end: the store or the database was too slow")
    except (ForeignStore, Unavailable) as error:
        log.warning("the generation was not replaced at the end: %s", error)
