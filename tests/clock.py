"""A clock that stands still until it is told to go on."""

from datetime import UTC, datetime, timedelta


class StillClock:
    """`Clock` at 2026-04-17T10:45:00Z until `advance`."""

    def __init__(self) -> None:
        self._now = datetime(2026, 4, 17, 10, 45, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        """Go on by a `timedelta` of these keywords."""
        self._now += timedelta(**by)
