"""Running many transfers at once, in constant memory, until one failure concerns them all."""

import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from dossier_client.errors import InsufficientPermissions, InvalidKey, NotAnswered, RateLimited, Unavailable

T = TypeVar("T")

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of the signal, as shells report it."""

_stop = threading.Event()


class Interrupted(Exception):
    """Ends a transfer after Ctrl-C. The next run begins it again."""


def check() -> None:
    """Raise `Interrupted` after Ctrl-C. Every transfer calls this after each piece."""
    if _stop.is_set():
        raise Interrupted


def sleep(seconds: float) -> None:
    """Wait for some seconds, or until Ctrl-C."""
    _stop.wait(seconds)
    check()


FATAL = (InvalidKey, InsufficientPermissions, NotAnswered, RateLimited, Unavailable)
"""Failures that the next file would meet too."""


def run_all(act: Callable[[T], None], items: Iterable[T], jobs: int) -> None:
    """Call `act` for each item, `jobs` at a time. At most twice as many items are held at once.

    Raises:
        what `act` raises first: no further item is begun then, and those that were begun end before.
    """
    room = threading.Semaphore(2 * jobs)
    failed: list[BaseException] = []

    def ended(future: Future[None]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            failed.append(error)
        room.release()

    pool = ThreadPoolExecutor(jobs)
    try:
        for item in items:
            room.acquire()
            if failed:
                break
            pool.submit(act, item).add_done_callback(ended)
        pool.shutdown(cancel_futures=bool(failed))
    except KeyboardInterrupt:
        _stop.set()
        pool.shutdown(cancel_futures=True)
        sys.exit(INTERRUPTED)
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    if failed:
        raise failed[0]
