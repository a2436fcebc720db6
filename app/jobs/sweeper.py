"""The background job that sweeps: what `dossier sweep` does, without `--yes`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from domain.use_cases.claim_store import AlreadySweeping, ForeignStore
from domain.use_cases.sweep import Sweep, TooManyOrphans
from ports.system import Unavailable

DELETE_CONDEMNED_EVERY = timedelta(minutes=10)
"""How often the objects of deleted documents are deleted. The API promises: within the hour."""

SWEEP_EVERY = timedelta(hours=6)
"""How often all objects are listed, by the first process for which it is due."""

log = logging.getLogger("dossier.sweeper")

Pause = Callable[[float], Awaitable[None]]


@asynccontextmanager
async def swept_regularly(sweep: Sweep, pause: Pause = asyncio.sleep) -> AsyncIterator[None]:
    """Sweep in the background until the end of the block, which cancels a running sweep. The next one continues it."""
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
            # Another process or a command is doing the work.
            pass
        except (ForeignStore, TooManyOrphans, Unavailable) as error:
            log.error("not swept: %s", error)
        except Exception:
            # A bug must not prevent the next sweep. Nothing is lost: every step of a sweep can be repeated.
            log.exception("the sweeper failed")


async def _sweep(sweep: Sweep) -> None:
    swept_at = (await sweep.deployments.read()).swept_at
    # A time in the future was recorded by a process whose clock was wrong.
    if swept_at is not None and timedelta() <= sweep.now() - swept_at < SWEEP_EVERY:
        swept = await sweep.without_listing()
    else:
        swept = await sweep()
    if swept.held:
        log.warning("the store refused to delete the objects at %d paths; the next sweep tries again", swept.held)
    if swept.inherited:
        log.warning(
            "%d objects without a record are older than this database's claim on the store; run 'dossier sweep --yes' "
            "to delete them",
            swept.inherited,
        )
