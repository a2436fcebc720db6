"""The ledger of storage paths, as the sweeper uses it.

A path is free until the ledger knows it. Its states are then:

    free → recorded → condemned → gone     a document was created, and later deleted
    free → condemned → gone                an object that no document recorded
    gone → condemned → gone                an object that was uploaded late, to a path that is gone

No path becomes free again, so no path is ever recorded twice.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.ids import WorkspaceId
from domain.paths import StoragePath
from ports.storage import ListedObject


class PathState(StrEnum):
    """The state of a path in the ledger.

    A document exists at a `recorded` path. The object at a `condemned` path is being deleted. The object at a `gone`
    path is deleted.
    """

    RECORDED = "recorded"
    CONDEMNED = "condemned"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class CondemnedPath:
    """A path whose object is being deleted. Every create at it is refused."""

    workspace_id: WorkspaceId
    path: StoragePath


class ObjectLedger(Protocol):
    """The states of all storage paths that were ever recorded or condemned."""

    async def states(self, workspace: WorkspaceId, paths: Sequence[StoragePath]) -> Mapping[StoragePath, PathState]:
        """Return the state of each path that the ledger knows. A path that it does not know is left out."""
        ...

    async def recorded_versions(
        self, workspace: WorkspaceId, paths: Sequence[StoragePath]
    ) -> Mapping[StoragePath, str]:
        """Return the version of the object that was recorded at each path.

        A path is left out if it is not recorded, or if the store did not report a version.
        """
        ...

    async def condemn(
        self, workspace: WorkspaceId, objects: Sequence[ListedObject], at: datetime
    ) -> Sequence[StoragePath]:
        """Condemn the paths of these objects, except those that are recorded. Return the paths that are now condemned.

        Decided under the workspace lock, as a create is. Either the create recorded the path first, and the path is
        not condemned; or the path is condemned first, and every later create at it is `PathTaken`. A path that was
        gone is condemned again.
        """
        ...

    def condemned(self) -> AsyncIterator[Sequence[CondemnedPath]]:
        """Yield every condemned path of every workspace, in pages."""
        ...

    async def finalise(self, workspace: WorkspaceId, paths: Sequence[StoragePath], condemned_before: datetime) -> None:
        """Mark those of the paths as gone that were condemned before `condemned_before`. Leave the others as they are.

        The caller has deleted their objects.
        """
        ...

    async def delete_expired_receipts(self, at: datetime) -> int:
        """Delete every receipt that has expired by `at`. Return how many were deleted."""
        ...
