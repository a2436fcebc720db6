"""The rate limiter in memory."""

from collections.abc import Sequence
from datetime import datetime

from domain.rate_limits import Verdict, Window

_Counter = tuple[str, int, int]
"""The key of a counter: the subject, the length of the window in seconds, and the end of the window in Unix seconds."""


class MemoryRateLimiter:
    """`RateLimiter` for a single process. The counts end with the process."""

    def __init__(self) -> None:
        self._counts: dict[_Counter, int] = {}
        self._next_sweep = 0

    async def acquire(self, subject: str, windows: Sequence[Window], at: datetime) -> Verdict:
        self._forget_ended(int(at.timestamp()))
        counters: list[_Counter] = [(subject, window.seconds, window.end(at)) for window in windows]
        used = [self._counts.get(counter, 0) for counter in counters]
        verdict = Verdict.of(windows, used, at)
        if verdict.admitted:
            for counter, count in zip(counters, used, strict=True):
                self._counts[counter] = count + 1
        return verdict

    def refuses(self, subject: str, windows: Sequence[Window], at: datetime) -> bool:
        return any(self._counts.get((subject, window.seconds, window.end(at)), 0) >= window.limit for window in windows)

    def _forget_ended(self, now: int) -> None:
        if now >= self._next_sweep:
            self._counts = {key: count for key, count in self._counts.items() if key[2] > now}
            self._next_sweep = now + 60
