"""Find the orphans: the objects that no record refers to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.ids import WorkspaceId
from domain.paths import StoragePath
from domain.use_cases.stored_objects import proves_a_loss, recordable_path, stored_objects
from ports.ledger import ObjectLedger, PathState
from ports.storage import ListedObject, ObjectStorage
from ports.workspaces import Workspaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """Objects without a record are orphans if not modified since `unrecorded`, and inherited if older than `inherited`.

    `inherited` is when this database claimed the store. The ledger knows every upload that was issued after
    `issued_since`. `now` is when the sweep began.
    """

    unrecorded: datetime
    inherited: datetime
    issued_since: datetime
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanPage:
    """Objects of one workspace from one page of a listing: their number, and the orphans among them by kind.

    `SweepReport` explains the kinds. `proves_loss` is true if the database must know one of the unexplained orphans.
    """

    workspace: WorkspaceId
    objects: int
    foreign: int
    issued: Sequence[ListedObject]
    unexplained: Sequence[ListedObject]
    inherited: Sequence[ListedObject]
    late: Sequence[ListedObject]
    proves_loss: bool


async def orphan_pages(
    cutoffs: Cutoffs, workspaces: Workspaces, ledger: ObjectLedger, storage: ObjectStorage
) -> AsyncIterator[OrphanPage]:
    """Yield all objects of all workspaces, page by page, with the orphans among them."""
    async for page in stored_objects(workspaces, storage):
        recordable = {
            workspace: {path: item for item in items if (path := recordable_path(item.key, workspace)) is not None}
            for workspace, items in page.items()
        }
        states = await ledger.states([path for objects in recordable.values() for path in objects])
        for workspace, objects in recordable.items():
            yield _orphans(workspace, len(page[workspace]), objects, states, cutoffs)


def _orphans(
    workspace: WorkspaceId,
    listed: int,
    objects: Mapping[StoragePath, ListedObject],
    states: Mapping[StoragePath, PathState],
    cutoffs: Cutoffs,
) -> OrphanPage:
    free = {path: item for path, item in objects.items() if states.get(path) in (None, PathState.ISSUED)}
    old = {path: item for path, item in free.items() if item.modified_at <= cutoffs.unrecorded}
    # An object at an issued path is inherited too: a restored database does not know what was recorded there after its
    # dump.
    own = {path: item for path, item in old.items() if item.modified_at >= cutoffs.inherited}
    unexplained = [item for path, item in own.items() if path not in states]
    return OrphanPage(
        workspace=workspace,
        objects=listed,
        foreign=listed - len(objects),
        issued=[item for path, item in own.items() if path in states],
        unexplained=unexplained,
        inherited=[item for item in old.values() if item.modified_at < cutoffs.inherited],
        late=[item for path, item in objects.items() if states.get(path) is PathState.GONE],
        proves_loss=any(proves_a_loss(item, workspace, cutoffs.issued_since, cutoffs.now) for item in unexplained),
    )
