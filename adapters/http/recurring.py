"""A check that runs repeatedly while there is something to check: one timer for all requests or connections."""

import asyncio
from collections.abc import Callable


class RecurringCheck:
    """Calls `check` every `seconds`, from `start` on until `check` returns that nothing is left to check.

    After an exception, which the event loop logs, the next call follows as after any other.
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
