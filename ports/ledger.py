"""The ledger of paths, as the sweeper needs it: what is recorded, and what will never be."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.ids import WorkspaceId
from domain.paths import StoragePath
from ports.storage import ListedObject


class PathState(StrEnum):
    """A path is recorded at most once, ever; condemned, its bytes are on their way out; gone, they are deleted."""

    RECORDED = "recorded"
    CONDEMNED = "condemned"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class CondemnedPath:
    """A path that no create takes any more."""

    workspace_id: WorkspaceId
    path: StoragePath


class ObjectLedger(Protocol):
    async def states(self, workspace: WorkspaceId, paths: Sequence[StoragePath]) -> Mapping[StoragePath, PathState]:
        """The state of those of the paths that the ledger knows."""
        ...

    async def condemn(
        self, workspace: WorkspaceId, objects: Sequence[ListedObject], at: datetime
    ) -> Sequence[StoragePath]:
        """Condemn the paths of these objects, but not one that is recorded; the paths that are condemned now.

        Decided under the lock that a create takes: either the create has recorded the path, and it is not condemned,
        or it is condemned, and every create of it is `PathTaken` from then on. A path that was gone is condemned anew.
        """
        ...

    def condemned(self) -> AsyncIterator[Sequence[CondemnedPath]]:
        """Every condemned path, of every workspace, in pages."""
        ...

    async def finalise(self, workspace: WorkspaceId, paths: Sequence[StoragePath], condemned_before: datetime) -> None:
        """Let those of the paths that were condemned before then be gone: their bytes are deleted for good."""
        ...

    async def delete_expired_receipts(self, at: datetime) -> int:
        """Remove every receipt that has expired by then; how many."""
        ...
