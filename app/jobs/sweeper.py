"""The sweeper beside the server: what `dossier sweep` does, without anybody who says yes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from domain.use_cases.claim_storage import AlreadySweeping, NotOurStorage
from domain.use_cases.sweep import Sweep, TooManyOrphans
from ports.system import Unavailable

SETTLE_EVERY = timedelta(minutes=10)
"""Bytes of deleted documents go within the hour: this, and the time it takes."""

SWEEP_EVERY = timedelta(hours=6)
"""How often all objects are listed, by whichever process comes first."""

log = logging.getLogger("dossier.sweeper")

Pause = Callable[[float], Awaitable[None]]


@asynccontextmanager
async def swept_regularly(sweep: Sweep, pause: Pause = asyncio.sleep) -> AsyncIterator[None]:
    """Sweep in the background until the end of the block. A sweep that is cut off there is gone on with by the next."""
    task = asyncio.create_task(_go_on(sweep, pause))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _go_on(sweep: Sweep, pause: Pause) -> None:
    while True:
        await pause(SETTLE_EVERY.total_seconds())
        try:
            await _sweep(sweep)
        except AlreadySweeping:
            # Another process, or a command: the work is done.
            pass
        except (NotOurStorage, TooManyOrphans, Unavailable) as error:
            log.error("not swept: %s", error)
        except Exception:
            # A mistake of ours: it is told, and must not keep the next sweep from being tried.
            log.exception("the sweeper failed")


async def _sweep(sweep: Sweep) -> None:
    swept_at = (await sweep.deployments.read()).swept_at
    # A time to come is that of a clock that was wrong.
    if swept_at is not None and timedelta() <= sweep.now() - swept_at < SWEEP_EVERY:
        swept = await sweep.delete_condemned()
    else:
        swept = await sweep()
    if swept.held:
        log.warning("the store holds on to the bytes at %d paths that are to be deleted", swept.held)
    if swept.inherited:
        log.warning(
            "%d objects without a record lay in the store before it was this database's: 'dossier sweep --yes' deletes "
            "them",
            swept.inherited,
        )
