"""A clock that a test advances."""

from datetime import UTC, datetime, timedelta


class StillClock:
    """`Clock` that stands still at 2026-04-17T10:45:00Z, or at `now`."""

    def __init__(self, now: datetime = datetime(2026, 4, 17, 10, 45, tzinfo=UTC)) -> None:
        self._now = now

    def __call__(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        """Advance by a `timedelta` with these keywords."""
        self._now += timedelta(**by)
