"""A check that runs repeatedly while it is needed, with one timer for all requests or connections."""

import asyncio
from collections.abc import Callable


class RecurringCheck:
    """Calls `check` every `seconds`, from `start` on until `check` returns false because nothing is left to check.

    If `check` raises an exception, the event loop logs it, and the next call follows as usual.
    """

    def __init__(self, seconds: float, check: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._check = check
        self._is_scheduled = False

    def start(self) -> None:
        """Begin, unless the check is running already."""
        if not self._is_scheduled:
            self._schedule()

    def _schedule(self) -> None:
        self._is_scheduled = True
        asyncio.get_running_loop().call_later(self._seconds, self._run)

    def _run(self) -> None:
        is_needed = True
        try:
            is_needed = self._check()
        finally:
            self._is_scheduled = False
            if is_needed:
                self._schedule()
