"""Counting requests against the windows of a rate limit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.rate_limits import Verdict, Window


class RateLimiter(Protocol):
    """Counters of requests, by subject and window."""

    async def acquire(self, subject: str, windows: Sequence[Window], at: datetime) -> Verdict:
        """Count one request of `subject` in all windows, or in none.

        The request is admitted if every window admits it. The decision is one atomic step over all processes that share
        the limiter. A refused request is not counted. `windows` is not empty.
        """
        ...

    def refuses(self, subject: str, windows: Sequence[Window], at: datetime) -> bool:
        """Return whether this process knows already that `acquire` with the same arguments would refuse.

        It makes no call. It is true after `acquire` has refused such a request, until the window that refused it ends.
        A limiter may forget refusals before that, if it has to remember very many.
        """
        ...
