"""Delete objects that belong to no document, and never an object that a create could still record.

A sweep, in order:

1. Take the lock of this task: one process sweeps at a time. If the lock is lost during the sweep, a second sweep may
   run beside this one. Every step below tolerates that.
2. Compare the store's mark with the database, and refuse a store that belongs to another deployment.
3. Replace the generation (see `generations`). Of two copies of a database, only the one that does so first goes on.
4. Delete the objects of the condemned paths that are due; in a complete sweep, of all condemned paths. Then mark those
   paths as gone that were condemned more than `RECHECK_AFTER` ago, and postpone the others by that time. So an object
   is deleted two or three times, however many processes sweep. An object that an extremely slow upload still stores
   there is found as late in step 6. A crash between the two leaves the paths due, and the next sweep deletes again,
   which changes nothing.
5. Look for the objects of issued paths whose reservations have ended. Without an object, release the reservation and
   condemn the path. Else reserve the size of the object until it is recorded or swept. Then, in a complete sweep,
   delete what was kept long enough (`DeleteExpired`), so that it does not depend on the listings.
6. List all objects and count the orphans, without deleting any: the listing is cheap, and a deletion is final.
7. Record when this listing ended. After a crash in a later step, the server's next complete sweep is still not due
   earlier than usual; `dossier sweep` runs one at once.
8. List again, page by page. Condemn the paths of late objects, of orphans that were uploaded through our URLs and,
   unless their workspace has too many, of other orphans under the workspace lock; then delete their objects. A create
   that records a path first keeps its object; a create that comes later is refused. A crash between the two leaves
   condemned paths, which step 4 of the next sweep deletes.
9. Delete the versions beside recorded ones, unfinished uploads, and empty folders. All can be repeated. On a store
   that accepts several uploads at once through one URL, each of them leaves a version. A path is recorded at most once,
   so no create can need another version.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import attrgetter

from domain.documents import SIGNED_URL_LIFETIME, StoredObject
from domain.ids import WorkspaceId
from domain.paths import WORKSPACES_PREFIX, StoragePath
from domain.uploads import GRACE
from domain.use_cases.delete_expired import DeleteExpired
from domain.use_cases.generations import AdvanceGeneration, exclusively, verified_deployment
from domain.use_cases.orphans import Cutoffs, OrphanPage, orphan_pages
from domain.use_cases.stored_objects import by_workspace
from domain.use_cases.sweep_report import SweepReport
from ports.deployment import Deployment, Deployments, Task
from ports.ledger import ObjectLedger
from ports.storage import ObjectStorage
from ports.system import Clock, NewSecret
from ports.workspaces import Workspaces

ORPHANED_AFTER = timedelta(hours=24)
"""The time for which an object may exist without a record."""

RECHECK_AFTER = SIGNED_URL_LIFETIME + GRACE
"""How long after its condemnation a path is deleted again: its upload URL has expired, and most slow uploads have
ended."""

UNEXPLAINED_MAX = 1000
"""The most unexplained orphans of a workspace that are deleted without `yes`."""

UNEXPLAINED_SHARE_MAX = 0.05
"""The largest share of a workspace's objects that is deleted without `yes` although it is unexplained."""

LOOKS_MAX = 1000
"""For how many objects of a workspace a sweep asks the store one by one. The others wait for the next sweep, so that a
workspace with many unused upload URLs delays only itself."""


class TooManyOrphans(Exception):
    """Workspaces have more unexplained orphans than a sweep deletes without `yes`.

    None of those was deleted; everything else was.
    """

    def __init__(self, swept: SweepReport) -> None:
        super().__init__(
            f"more than {UNEXPLAINED_SHARE_MAX:.0%} of the objects, or more than {UNEXPLAINED_MAX}, have no record and "
            "were not uploaded through Dossier, or an upload URL of Dossier that the database does not know was used. "
            f"So they were not deleted, in {', '.join(swept.unconfirmed)}. If the database is complete, run "
            "'dossier sweep --yes'"
        )
        self.swept = swept


Progress = Callable[[SweepReport], None]


def _ignore_progress(_: SweepReport) -> None:
    """Ignore progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Delete the objects of deleted documents, uploads that were not recorded within a day or never finished, empty
    folders, and what was kept long enough.

    - Only objects below the prefixes of this database's workspaces are deleted, and only in its own store.
    - Without `yes`, the unexplained orphans of a workspace are kept if they are more than 5 % of its objects or more
      than 1,000, or if a complete database must know one of them. Inherited orphans are always kept.
    - `dry_run` deletes nothing and leaves the generation as it is.
    - `on_progress` receives the report after every page.

    Raises:
        TaskTaken: another process is sweeping.
        ForeignStore: the store does not belong to this database.
        TooManyOrphans: the orphans were kept; everything else is done.
    """

    workspaces: Workspaces
    ledger: ObjectLedger
    storage: ObjectStorage
    deployments: Deployments
    delete_expired: DeleteExpired
    now: Clock
    new_token: NewSecret

    async def __call__(
        self, *, dry_run: bool = False, yes: bool = False, on_progress: Progress = _ignore_progress
    ) -> SweepReport:
        swept = SweepReport()
        async with exclusively(self.deployments, Task.SWEEP):
            deployment = await (
                verified_deployment(self.deployments, self.storage) if dry_run else self._advance(always=True)
            )
            cutoffs = self._cutoffs(deployment)
            if not dry_run:
                await self.deployments.begin_sweep(cutoffs.now)
            await self._delete_condemned_paths(None, swept, on_progress, dry_run=dry_run)
            await self._settle_uploads(swept, dry_run=dry_run)
            if not dry_run:
                gone = await self.delete_expired()
                swept.receipts, swept.events, swept.unused_paths = gone.receipts, gone.events, gone.unused_paths
            await self._count_orphans(cutoffs, swept, on_progress)
            if dry_run:
                await self._delete_other_versions(swept, on_progress, dry_run=True)
                return swept
            await self.deployments.record_sweep(self.now())
            if swept.unrecorded or swept.late:
                await self._delete_orphans(cutoffs, swept, on_progress, yes=yes)
            await self._delete_other_versions(swept, on_progress, dry_run=False)
            swept.unfinished = await self.storage.discard_unfinished(WORKSPACES_PREFIX, cutoffs.unrecorded)
            async for workspaces in self.ledger.with_folders():
                for workspace in workspaces:
                    swept.folders += await self.ledger.delete_empty_folders(workspace)
                on_progress(swept)
        if swept.unconfirmed and not yes:
            raise TooManyOrphans(swept)
        return swept

    async def without_listing(self) -> SweepReport:
        """Do only steps 1 to 5, without listing all objects: cheap enough for every few minutes."""
        swept = SweepReport()
        async with exclusively(self.deployments, Task.SWEEP):
            await self._advance(always=True)
            await self.deployments.begin_sweep(self.now())
            await self._delete_condemned_paths(self.now(), swept, _ignore_progress, dry_run=False)
            await self._settle_uploads(swept, dry_run=False)
        return swept

    @property
    def _advance(self) -> AdvanceGeneration:
        return AdvanceGeneration(deployments=self.deployments, storage=self.storage, new_token=self.new_token)

    def _cutoffs(self, deployment: Deployment) -> Cutoffs:
        began = self.now()
        claimed_at = deployment.claimed_at or began
        return Cutoffs(
            unrecorded=began - ORPHANED_AFTER,
            inherited=claimed_at,
            issued_since=max(claimed_at, deployment.issued_since),
            now=began,
        )

    async def _count_orphans(self, cutoffs: Cutoffs, swept: SweepReport, on_progress: Progress) -> None:
        objects: Counter[WorkspaceId] = Counter()
        unexplained: Counter[WorkspaceId] = Counter()
        incomplete: set[WorkspaceId] = set()
        async for page in self._orphan_pages(cutoffs):
            swept.count(page)
            objects[page.workspace] += page.objects
            if page.unexplained:
                unexplained[page.workspace] += len(page.unexplained)
            if page.proves_loss:
                incomplete.add(page.workspace)
            on_progress(swept)
        swept.unconfirmed = sorted(
            workspace
            for workspace, count in unexplained.items()
            if workspace in incomplete or count > min(UNEXPLAINED_MAX, objects[workspace] * UNEXPLAINED_SHARE_MAX)
        )

    def _orphan_pages(self, cutoffs: Cutoffs) -> AsyncIterator[OrphanPage]:
        return orphan_pages(cutoffs, self.workspaces, self.ledger, self.storage)

    async def _settle_uploads(self, swept: SweepReport, *, dry_run: bool) -> None:
        at = self.now()
        looked_for: Counter[WorkspaceId] = Counter()
        async for page in self.ledger.overdue_uploads(at):
            swept.expired += len(page)
            for workspace, overdue in groupby(page, key=attrgetter("workspace_id")):
                found: dict[StoragePath, int | None] = {}
                for upload in islice(overdue, 0 if dry_run else LOOKS_MAX - looked_for[workspace]):
                    stored = await self.storage.stat(upload.path)
                    # No document can be recorded of an object that readers cannot get.
                    found[upload.path] = stored.size_bytes if isinstance(stored, StoredObject) else None
                looked_for[workspace] += len(found)
                if found:
                    # If an object is neither recorded nor swept within a day, this step looks again.
                    await self.ledger.settle_uploads(workspace, found, at, at + ORPHANED_AFTER)

    async def _delete_condemned_paths(
        self, due_at: datetime | None, swept: SweepReport, on_progress: Progress, *, dry_run: bool
    ) -> None:
        async for page in self.ledger.condemned(due_at):
            swept.condemned += len(page)
            if not dry_run:
                for workspace, condemned in groupby(page, key=attrgetter("workspace_id")):
                    await self._delete(workspace, [item.path for item in condemned], swept)
            on_progress(swept)

    async def _delete_orphans(self, cutoffs: Cutoffs, swept: SweepReport, on_progress: Progress, *, yes: bool) -> None:
        # List again instead of remembering all orphans of the first listing. `condemn` skips paths recorded since.
        unconfirmed = set() if yes else set(swept.unconfirmed)
        async for page in self._orphan_pages(cutoffs):
            orphans = [*page.late, *page.issued]
            orphans += [*(page.unexplained if page.workspace not in unconfirmed else ())]
            orphans += [*(page.inherited if yes else ())]
            if orphans:
                condemned = await self.ledger.condemn(page.workspace, orphans, self.now())
                await self._delete(page.workspace, condemned, swept)
            on_progress(swept)

    async def _delete_other_versions(self, swept: SweepReport, on_progress: Progress, *, dry_run: bool) -> None:
        async for keys in self.storage.list_replaced(WORKSPACES_PREFIX):
            for workspace, paths in by_workspace(keys).items():
                # None is recorded in a workspace that this database does not know.
                for path, version in (await self.ledger.recorded_versions(workspace, paths)).items():
                    others = await self.storage.delete_other_versions(path, version, dry_run=dry_run)
                    swept.other_versions += others.found
                    swept.held += others.are_held
            on_progress(swept)

    async def _delete(self, workspace: WorkspaceId, paths: Sequence[StoragePath], swept: SweepReport) -> None:
        began = self.now()
        held = set(await self.storage.delete(paths))
        deleted = [path for path in paths if path not in held]
        # The paths that stay condemned are deleted again: an upload may still arrive there, or the store has refused to
        # delete the object. What it refuses now, it will refuse for a while.
        if held:
            await self.ledger.postpone(workspace, [*held], began + ORPHANED_AFTER)
        if deleted:
            await self.ledger.postpone(workspace, deleted, began + RECHECK_AFTER)
            await self.ledger.finalise(workspace, deleted, began - RECHECK_AFTER)
        swept.deleted += len(deleted)
        swept.held += len(held)
