"""Repeats a job in the background while the server runs."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from adapters.in_process.background import in_background
from domain.use_cases.generations import ForeignStore, TaskTaken
from domain.use_cases.sweep import TooManyOrphans
from ports.system import Unavailable

Pause = Callable[[float], Awaitable[None]]


def regularly(
    work: Callable[[], Awaitable[object]], every: timedelta, log: logging.Logger, pause: Pause
) -> AbstractAsyncContextManager[None]:
    """Do the work after each interval until the end of the block, which cancels it. A failure is logged."""
    return in_background(_repeat(work, every, log, pause))


async def _repeat(work: Callable[[], Awaitable[object]], every: timedelta, log: logging.Logger, pause: Pause) -> None:
    logged: str | None = None
    while True:
        await pause(every.total_seconds())
        try:
            await work()
            logged = None
        except TaskTaken:
            # Another process or a command is doing the work.
            pass
        except (ForeignStore, TooManyOrphans, Unavailable) as error:
            # An outage is logged once, not after each interval.
            if str(error) != logged:
                log.error("not done, and retried: %s", error)
                logged = str(error)
        except Exception:
            # A bug must not prevent the next run. Nothing is lost, because every step of a job can be repeated.
            log.exception("the job failed")
