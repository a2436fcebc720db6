"""Counting requests in one process."""

from collections.abc import Sequence
from datetime import datetime

from domain.access import Window
from ports.rate_limit import Verdict

_Counter = tuple[str, int, int]
"""Subject, length of the window in seconds, its end in Unix seconds."""


class MemoryRateLimiter:
    """`RateLimiter` for a single process: exact within it, forgotten with it."""

    def __init__(self) -> None:
        self._counts: dict[_Counter, int] = {}
        self._next_sweep = 0

    async def acquire(self, subject: str, windows: Sequence[Window], at: datetime) -> Verdict:
        # Nothing is awaited in here, so nothing comes between the look and the count.
        now = int(at.timestamp())
        self._forget_ended(now)
        ends = [window.end(at) for window in windows]
        counters: list[_Counter] = [(subject, window.seconds, end) for window, end in zip(windows, ends, strict=True)]
        left = [window.limit - self._counts.get(key, 0) for window, key in zip(windows, counters, strict=True)]
        refused_until = [end for end, remaining in zip(ends, left, strict=True) if remaining <= 0]
        if not refused_until:
            left = [remaining - 1 for remaining in left]
            for key in counters:
                self._counts[key] = self._counts.get(key, 0) + 1
        # Of windows equally narrow, the one that ends last holds the caller back longest.
        tightest = min(range(len(windows)), key=lambda i: (left[i], -ends[i]))
        return Verdict(
            admitted=not refused_until,
            limit=windows[tightest].limit,
            # A plan that was lowered within a window can have been used up more than it allows.
            remaining=max(0, left[tightest]),
            reset=ends[tightest],
            retry_after=max(refused_until) - now if refused_until else 0,
        )

    def _forget_ended(self, now: int) -> None:
        if now >= self._next_sweep:
            self._counts = {key: count for key, count in self._counts.items() if key[2] > now}
            self._next_sweep = now + 60
