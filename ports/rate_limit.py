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

    @classmethod
    def of(cls, windows: Sequence[Window], used: Sequence[int], at: datetime) -> "Verdict":
        """The verdict on a request at that time, when each window had admitted `used` requests before it."""
        now = int(at.timestamp())
        ends = [window.end(at) for window in windows]
        left = [window.limit - count for window, count in zip(windows, used, strict=True)]
        refused_until = [end for end, remaining in zip(ends, left, strict=True) if remaining <= 0]
        if not refused_until:
            left = [remaining - 1 for remaining in left]
        # Of windows equally narrow, the one that ends last holds the caller back longest.
        tightest = min(range(len(windows)), key=lambda i: (left[i], -ends[i]))
        return cls(
            admitted=not refused_until,
            limit=windows[tightest].limit,
            # A plan that was lowered within a window can have been used up more than it allows.
            remaining=max(0, left[tightest]),
            reset=ends[tightest],
            retry_after=max(refused_until) - now if refused_until else 0,
        )


class RateLimiter(Protocol):
    async def acquire(self, subject: str, windows: Sequence[Window], at: datetime) -> Verdict:
        """Count one request of `subject` in all windows, or in none.

        It is admitted when every window admits it, decided in one atomic step over all processes that share the
        limiter; a refused request uses nothing up. `windows` is not empty.
        """
        ...
