"""Delete what was kept long enough, so that nothing grows without an end."""

from dataclasses import dataclass
from datetime import timedelta

from domain.retention import UNUSED_PATHS_KEPT
from ports.retention import Retention
from ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """How many rows were deleted: receipts, events, and paths that were never used."""

    receipts: int
    events: int
    unused_paths: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteExpired:
    """Delete expired receipts, old events, and paths that were issued long ago and never used.

    `events_kept` is the time for which events are kept; `None` keeps them for ever.
    """

    retention: Retention
    events_kept: timedelta | None
    now: Clock

    async def __call__(self) -> Expired:
        at, kept = self.now(), self.events_kept
        return Expired(
            receipts=await self.retention.delete_expired_receipts(at),
            events=0 if kept is None else await self.retention.delete_events(at - kept),
            unused_paths=await self.retention.forget_unused_paths(at - UNUSED_PATHS_KEPT),
        )
