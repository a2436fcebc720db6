"""The background job that sweeps as `dossier sweep` without `--yes` does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from domain.use_cases.claim_store import AlreadySweeping, ForeignStore
from domain.use_cases.sweep import Sweep, TooManyOrphans
from domain.wording import counted
from ports.system import Unavailable

DELETE_CONDEMNED_EVERY = timedelta(minutes=10)
"""The interval at which the objects of deleted documents are deleted. The API promises that they are deleted within the
hour."""

SWEEP_EVERY = timedelta(hours=6)
"""The interval of complete sweeps, which list all objects. The first process that finds one due performs it."""

log = logging.getLogger("dossier.sweeper")

Pause = Callable[[float], Awaitable[None]]


@asynccontextmanager
async def swept_regularly(sweep: Sweep, pause: Pause = asyncio.sleep) -> AsyncIterator[None]:
    """Sweep in the background until the end of the block. A sweep that runs then is cancelled, and the next sweep
    continues it."""
    task = asyncio.create_task(_repeat(sweep, pause))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _repeat(sweep: Sweep, pause: Pause) -> None:
    while True:
        await pause(DELETE_CONDEMNED_EVERY.total_seconds())
        try:
            await _sweep(sweep)
        except AlreadySweeping:
            # Another process or a command is sweeping.
            pass
        except (ForeignStore, TooManyOrphans, Unavailable) as error:
            log.error("not swept: %s", error)
        except Exception:
            # A bug must not prevent the next sweep. The failed sweep does no harm, because every step can be repeated.
            log.exception("the sweeper failed")


async def _sweep(sweep: Sweep) -> None:
    swept_at = (await sweep.deployments.read()).swept_at
    # If the time is in the future, the clock of the process that recorded it was wrong.
    if swept_at is not None and timedelta() <= sweep.now() - swept_at < SWEEP_EVERY:
        swept = await sweep.without_listing()
    else:
        swept = await sweep()
    if swept.held:
        held = counted(swept.held, "path")
        log.warning("the store refused to delete the objects at %s; the next sweep tries again", held)
    if swept.inherited:
        log.warning(
            "%s without a record from before this database's claim on the store; run 'dossier sweep "
            "--yes' to delete them",
            counted(swept.inherited, "object"),
        )
