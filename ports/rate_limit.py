"""Counting requests against windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.access import Window


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is admitted, and the window with the fewest requests left.

    `reset` is when that window ends, in Unix seconds. `retry_after` is 0 when admitted, else the whole seconds, at
    least 1, until every window that refused has ended.
    """

    admitted: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int


class RateLimiter(Protocol):
    async def acquire(self, subject: str, windows: Sequence[Window], at: datetime) -> Verdict:
        """Count one request of `subject` in all windows, or in none.

        It is admitted when every window admits it, decided in one atomic step over all processes that share the
        limiter; a refused request uses nothing up. `windows` is not empty.
        """
        ...
