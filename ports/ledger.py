"""The ledger of storage paths, as the sweeper uses it.

A path that is not in the ledger is free. The states of a path follow each other in these ways:

    free → issued → recorded → condemned → gone    an upload, a document, and its deletion
    free → issued → condemned → gone               an upload that no document recorded
    free → recorded, free → condemned              an object that was stored without an upload URL
    gone → condemned → gone                        an object that was uploaded late, to a path that is gone
    gone → free                                    a path that was never recorded, after a long time (`Retention`)

A path that was recorded never becomes free again, so no path is ever recorded twice.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.ids import WorkspaceId
from domain.paths import StoragePath
from ports.outcomes import OverQuota, PathTaken, UploadIssued
from ports.storage import ListedObject


class PathState(StrEnum):
    """The state of a path in the ledger.

    An upload URL was issued for an `issued` path. A document exists at a `recorded` path. The object at a `condemned`
    path is being deleted. The object at a `gone` path is deleted.
    """

    ISSUED = "issued"
    RECORDED = "recorded"
    CONDEMNED = "condemned"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class CondemnedPath:
    """A path whose object is being deleted. Every create at it is refused."""

    workspace_id: WorkspaceId
    path: StoragePath


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedUpload:
    """An upload URL that was issued for a path, and what it reserves of the workspace's quota.

    The sweeper looks at the path after `held_until`. Until then the reservation stays, unless the path is recorded.
    With `is_durable`, a crash of the database does not lose it. Without, a crash may lose it within the next second.
    """

    workspace_id: WorkspaceId
    path: StoragePath
    reserved_bytes: int
    held_until: datetime
    is_durable: bool = True


class ObjectLedger(Protocol):
    """The states of all storage paths that were ever recorded, and of those that were issued or condemned lately.

    Every write is decided under the workspace lock, as a create is. A workspace's reserved bytes are always the sum of
    the reservations of its issued paths.
    """

    async def states(self, paths: Sequence[StoragePath]) -> Mapping[StoragePath, PathState]:
        """Return the state of each path that is in the ledger, each in the workspace that the path names.

        The result does not contain the other paths.
        """
        ...

    async def reserve(self, upload: IssuedUpload) -> UploadIssued | OverQuota | PathTaken:
        """Replace the reservation of an upload and the end of it. A free path is issued.

        A reservation that grows must fit the quota; one that shrinks always does. `PathTaken` if the path is neither
        free nor issued. Safe to call again.
        """
        ...

    def overdue_uploads(self, at: datetime) -> AsyncIterator[Sequence[IssuedUpload]]:
        """Yield every issued path of every workspace whose `held_until` is not after `at`, in pages."""
        ...

    async def settle_uploads(
        self, workspace: WorkspaceId, found: Mapping[StoragePath, int | None], at: datetime, look_again_at: datetime
    ) -> None:
        """Settle issued paths. Their objects were looked for at the time `at`; `found` has their sizes, or `None`.

        A path without an object is condemned, and its reservation is released. A reservation becomes the size of the
        object, whatever the quota is, and is held until `look_again_at`. A path that was recorded, condemned or
        reserved anew in the meantime is left alone.
        """
        ...

    async def greatest_paths(self, bounds: Mapping[WorkspaceId, tuple[str, str]]) -> Mapping[WorkspaceId, StoragePath]:
        """Return the greatest path of each workspace, by code points, between its two bounds.

        A workspace without such a path is left out.
        """
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

        Either the create recorded the path first, and the path is not condemned; or the path is condemned first, and
        every later create at it is `PathTaken`. A path that was gone is condemned again. The reservation of an issued
        path is released.
        """
        ...

    def condemned(self, at: datetime | None = None) -> AsyncIterator[Sequence[CondemnedPath]]:
        """Yield every condemned path of every workspace, in pages; with `at`, only those that are due at that time."""
        ...

    async def postpone(self, workspace: WorkspaceId, paths: Sequence[StoragePath], until: datetime) -> None:
        """Let these paths be due at `until`, as far as they are condemned. A path that is condemned is due at once."""
        ...

    async def finalise(self, workspace: WorkspaceId, paths: Sequence[StoragePath], condemned_before: datetime) -> None:
        """Mark the paths as gone, if they were condemned before `condemned_before`.

        Leave the other paths as they are. The caller has deleted the objects at the paths.
        """
        ...

    def with_folders(self) -> AsyncIterator[Sequence[WorkspaceId]]:
        """Yield every workspace that has a folder, in pages."""
        ...

    async def delete_empty_folders(self, workspace: WorkspaceId) -> int:
        """Delete every folder without a document in it or below it. Return how many were deleted.

        A folder that gets a document in the meantime stays. After a failure, some are deleted.
        """
        ...
