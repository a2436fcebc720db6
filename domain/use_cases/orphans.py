"""Find the orphans of a workspace: the objects that no record refers to."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.ids import WorkspaceId
from domain.members import RuleViolation
from domain.paths import StoragePath, storage_path, workspace_prefix
from ports.ledger import ObjectLedger, PathState
from ports.storage import ListedObject, ObjectStorage


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """Objects without a record are orphans if not modified since `unrecorded`, and inherited if older than `inherited`.

    `inherited` is when this database claimed the store.
    """

    unrecorded: datetime
    inherited: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanPage:
    """One page of a listing: its number of objects, and its orphans by kind. `SweepReport` explains the kinds."""

    objects: int
    foreign: int
    issued: Sequence[ListedObject]
    unexplained: Sequence[ListedObject]
    inherited: Sequence[ListedObject]
    late: Sequence[ListedObject]


async def orphan_pages(
    workspace: WorkspaceId, cutoffs: Cutoffs, ledger: ObjectLedger, storage: ObjectStorage
) -> AsyncIterator[OrphanPage]:
    """Yield all objects of a workspace, page by page, with the orphans among them."""
    async for page in storage.list(workspace_prefix(workspace)):
        objects = {path: item for item in page if (path := recordable_path(item.key, workspace)) is not None}
        states = await ledger.states(workspace, list(objects))
        free = {path: item for path, item in objects.items() if states.get(path) in (None, PathState.ISSUED)}
        old = {path: item for path, item in free.items() if item.modified_at <= cutoffs.unrecorded}
        # An object at an issued path is inherited too: a restored database does not know what was recorded there
        # after its dump.
        own = {path: item for path, item in old.items() if item.modified_at >= cutoffs.inherited}
        yield OrphanPage(
            objects=len(page),
            foreign=len(page) - len(objects),
            issued=[item for path, item in own.items() if path in states],
            unexplained=[item for path, item in own.items() if path not in states],
            inherited=[item for item in old.values() if item.modified_at < cutoffs.inherited],
            late=[item for path, item in objects.items() if states.get(path) is PathState.GONE],
        )


def recordable_path(key: str, workspace: WorkspaceId) -> StoragePath | None:
    """Return the object key as a storage path; `None` if no document of the workspace can be recorded there."""
    try:
        return storage_path(key, workspace)
    except RuleViolation:
        return None
