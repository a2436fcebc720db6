"""The background job that sweeps as `dossier sweep` without `--yes` does."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial

from app.jobs.regularly import Pause, regularly
from domain.use_cases.sweep import Sweep
from domain.wording import counted

DELETE_CONDEMNED_EVERY = timedelta(minutes=10)
"""The interval at which the objects of deleted documents are deleted. The API promises that they are deleted within the
hour."""

SWEEP_EVERY = timedelta(hours=6)
"""The interval of complete sweeps, which list all objects. The first process that finds one due performs it."""

log = logging.getLogger("dossier.sweeper")


def swept_regularly(sweep: Sweep, pause: Pause = asyncio.sleep) -> AbstractAsyncContextManager[None]:
    """Sweep in the background until the end of the block, which cancels a running sweep. The next one continues it."""
    return regularly(partial(_sweep, sweep), DELETE_CONDEMNED_EVERY, log, pause)


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
