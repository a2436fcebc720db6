"""The deletion of what was kept long enough.

Each method deletes in batches, and each batch is a short transaction. After a failure, some rows are deleted, and the
next call deletes the rest.
"""

from datetime import datetime
from typing import Protocol


class Retention(Protocol):
    """What a repository keeps for a time. Each method returns the number of deleted rows."""

    async def delete_expired_receipts(self, at: datetime) -> int:
        """Delete every receipt that has expired by `at`."""
        ...

    async def delete_events(self, before: datetime) -> int:
        """Delete the events from before that time, in the order of commits.

        Of each workspace, the events that stay are the newest, and none is missing between them. A repository that
        keeps no events deletes none.
        """
        ...

    async def forget_unused_paths(self, before: datetime) -> int:
        """Make those paths free again that are gone, were condemned before that time, and were never recorded."""
        ...
