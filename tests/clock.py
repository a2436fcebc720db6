"""A clock that stands still until it is told to go on."""

from datetime import UTC, datetime, timedelta


class StillClock:
    """`Clock` at 2026-04-17T10:45:00Z, or another time, until `advance`."""

    def __init__(self, now: datetime = datetime(2026, 4, 17, 10, 45, tzinfo=UTC)) -> None:
        self._now = now

    def __call__(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        """Go on by a `timedelta` of these keywords."""
        self._now += timedelta(**by)
