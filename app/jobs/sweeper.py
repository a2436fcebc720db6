"""The background job that sweeps as `dossier sweep` without `--yes` does."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import partial

from app.jobs.regularly import Pause, regularly
from domain.use_cases.sweep import Sweep
from domain.wording import counted

DELETE_CONDEMNED_EVERY = timedelta(minutes=10)
"""The interval at which one of all processes deletes the objects of deleted documents. The API promises that they are
deleted within the hour."""

SWEEP_EVERY = timedelta(hours=6)
"""The interval of complete sweeps, which list all objects. The first process that finds one due performs it."""

log = logging.getLogger("dossier.sweeper")


def swept_regularly(sweep: Sweep, pause: Pause = asyncio.sleep) -> AbstractAsyncContextManager[None]:
    """Sweep in the background until the end of the block, which cancels a running sweep. The next one continues it."""
    return regularly(partial(_sweep, sweep), DELETE_CONDEMNED_EVERY, log, pause)


async def _sweep(sweep: Sweep) -> None:
    deployment, now = await sweep.deployments.read(), sweep.now()
    if _is_due(deployment.swept_at, SWEEP_EVERY, now):
        swept = await sweep()
    elif _is_due(deployment.sweep_began_at, DELETE_CONDEMNED_EVERY, now):
        swept = await sweep.without_listing()
    else:
        # Another process has swept meanwhile.
        return
    if swept.held:
        held = counted(swept.held, "path")
        log.warning("the store refused to delete the objects at %s; the next complete sweep tries again", held)
    if swept.inherited:
        log.warning(
            "%s without a record from before this database's claim on the store; run 'dossier sweep "
            "--yes' to delete them",
            counted(swept.inherited, "object"),
        )


def _is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    # If the time is in the future, the clock of the process that recorded it was wrong.
    return last is None or not timedelta() <= now - last < every
