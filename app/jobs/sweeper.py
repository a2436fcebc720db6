"""The background job that sweeps: what `dossier sweep` does, without `--yes`."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial

from app.jobs.regularly import Pause, regularly
from domain.use_cases.sweep import Sweep

DELETE_CONDEMNED_EVERY = timedelta(minutes=10)
"""How often the objects of deleted documents are deleted. The API promises: within the hour."""

SWEEP_EVERY = timedelta(hours=6)
"""How often all objects are listed, by the first process for which it is due."""

log = logging.getLogger("dossier.sweeper")


def swept_regularly(sweep: Sweep, pause: Pause = asyncio.sleep) -> AbstractAsyncContextManager[None]:
    """Sweep in the background until the end of the block, which cancels a running sweep. The next one continues it."""
    return regularly(partial(_sweep, sweep), DELETE_CONDEMNED_EVERY, log, pause)


async def _sweep(sweep: Sweep) -> None:
    swept_at = (await sweep.deployments.read()).swept_at
    # A time in the future was recorded by a process whose clock was wrong.
    if swept_at is not None and timedelta() <= sweep.now() - swept_at < SWEEP_EVERY:
        swept = await sweep.delete_condemned()
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
