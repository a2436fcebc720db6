"""Running many transfers at once, in constant memory, until one failure concerns them all."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from dossier_client.errors import InsufficientPermissions, InvalidKey, NotAnswered, RateLimited

T = TypeVar("T")

FATAL = (InvalidKey, InsufficientPermissions, NotAnswered, RateLimited)
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

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for item in items:
                room.acquire()
                if failed:
                    break
                pool.submit(act, item).add_done_callback(ended)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if failed:
        raise failed[0]
