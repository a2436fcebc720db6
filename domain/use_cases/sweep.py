"""Delete objects that belong to no document, and never an object that a create could still record.

A sweep, in order:

1. Take the deployment's lock: one process sweeps at a time. If the lock is lost during the sweep, a second sweep may
   run beside this one. Every step below tolerates that.
2. Compare the store's mark with the database, and refuse a store that is not ours.
3. Replace the generation: record the next one in the database, write it into the store's mark, then make it the
   current one in the database. Until the last write, the database accepts both generations, so a crash after either of
   the first two writes leaves a pair that still belongs together.
4. Delete the objects of condemned paths. Then mark those paths as gone that were condemned more than `RECHECK_AFTER`
   ago. An object that an extremely slow upload still stores there is found as late in step 5. A crash between the two
   leaves the paths condemned, and the next sweep deletes again, which changes nothing.
5. List all objects and count the orphans, without deleting any: the listing is cheap, and a deletion is final. Then
   delete the versions beside recorded ones. On a store that accepts several uploads at once through one URL, each of
   them leaves a version. A path is recorded at most once, so no create can still need another version.
6. Record when this listing ended. After a crash in a later step, the server's next complete sweep is still not due
   earlier than usual; `dossier sweep` runs one at once.
7. List again, page by page. Condemn the paths of late objects and, unless there are too many, of orphans under the
   workspace lock; then delete their objects. A create that records a path first keeps its object; a create that comes
   later is refused. A crash between the two leaves condemned paths, which step 4 of the next sweep deletes.
8. Delete unfinished uploads and expired receipts. Both can be repeated.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from domain.documents import SIGNED_URL_LIFETIME
from domain.ids import WorkspaceId
from domain.members import RuleViolation
from domain.paths import StoragePath, storage_path, workspace_prefix
from domain.use_cases.claim_store import exclusively, store_mark, verified_generation
from ports.deployment import Deployment, Deployments
from ports.ledger import ObjectLedger, PathState
from ports.storage import ListedObject, ObjectStorage
from ports.system import Clock, NewSecret
from ports.workspaces import Workspaces

ORPHANED_AFTER = timedelta(hours=24)
"""How long an object may exist without a record."""

RECHECK_AFTER = SIGNED_URL_LIFETIME + timedelta(minutes=45)
"""How long after its condemnation a path is deleted again: its upload URL has expired, and most slow uploads have
ended."""

ORPHANS_MAX = 1000
"""The most orphans that are deleted without `yes`."""

ORPHAN_SHARE_MAX = 0.05
"""The largest share of all objects that is deleted without `yes`."""


@dataclass(slots=True)
class SweepReport:
    """What a sweep found and did. All fields are counts, except `unrecorded_bytes`.

    `objects`: all that were listed. `unrecorded`: orphans, which have had no record for more than a day; their size is
    `unrecorded_bytes`. `inherited`: the orphans that are older than this database's claim on the store. `late`: objects
    at paths that are gone. `foreign`: objects whose keys no document can have; a sweep never touches them.
    `condemned`: paths that were condemned before this sweep. `deleted`: paths whose objects were deleted. `held`: paths
    at which the store refused to delete something. `other_versions`: versions at recorded paths beside the recorded
    one, which were deleted unless the store held them. `unfinished`: uploads that were discarded. `receipts`: expired
    receipts that were deleted.
    """

    objects: int = 0
    unrecorded: int = 0
    unrecorded_bytes: int = 0
    inherited: int = 0
    late: int = 0
    foreign: int = 0
    condemned: int = 0
    deleted: int = 0
    held: int = 0
    other_versions: int = 0
    unfinished: int = 0
    receipts: int = 0

    @property
    def exceeds_safety_limit(self) -> bool:
        """Whether there are so many orphans that the database is more likely incomplete than the objects unused."""
        return self.unrecorded > ORPHANS_MAX or self.unrecorded > self.objects * ORPHAN_SHARE_MAX


class TooManyOrphans(Exception):
    """There are more orphans than a sweep deletes without `yes`. None of them was deleted; everything else was."""

    def __init__(self, swept: SweepReport) -> None:
        super().__init__(
            f"{swept.unrecorded} of {swept.objects} objects have no record: more than {ORPHAN_SHARE_MAX:.0%}, or more "
            f"than {ORPHANS_MAX}, so they were not deleted. If the database is complete, run 'dossier sweep --yes'"
        )
        self.swept = swept


Progress = Callable[[SweepReport], None]


def _ignore_progress(_: SweepReport) -> None:
    """Ignore progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Delete the objects of deleted documents, uploads that were not recorded within a day or never finished, and
    expired receipts.

    - Only objects below the prefixes of this database's workspaces are deleted, and only in its own store.
    - Without `yes`, orphans are kept if they are more than 5 % of all objects or more than 1,000, and inherited orphans
      are always kept.
    - `dry_run` deletes nothing and leaves the generation as it is.
    - `on_progress` receives the report after every page.

    Raises:
        AlreadySweeping: another process is sweeping.
        ForeignStore: the store does not belong to this database.
        TooManyOrphans: the orphans were kept; everything else is done.
    """

    workspaces: Workspaces
    ledger: ObjectLedger
    storage: ObjectStorage
    deployments: Deployments
    now: Clock
    new_token: NewSecret

    async def __call__(
        self, *, dry_run: bool = False, yes: bool = False, on_progress: Progress = _ignore_progress
    ) -> SweepReport:
        swept = SweepReport()
        async with exclusively(self.deployments):
            deployment = await self._check_store(advance_generation=not dry_run)
            began = self.now()
            cutoffs = _Cutoffs(unrecorded=began - ORPHANED_AFTER, inherited=deployment.claimed_at or began)
            await self._delete_condemned_paths(swept, on_progress, dry_run=dry_run)
            async for page in self._orphan_pages(cutoffs):
                page.add_to(swept)
                on_progress(swept)
            await self._delete_other_versions(swept, on_progress, dry_run=dry_run)
            if dry_run:
                return swept
            await self.deployments.record_sweep(self.now())
            if swept.unrecorded or swept.late:
                await self._delete_orphans(
                    cutoffs, swept, on_progress, unrecorded=yes or not swept.exceeds_safety_limit, inherited=yes
                )
            for workspace in await self.workspaces.all():
                swept.unfinished += await self.storage.discard_unfinished(
                    workspace_prefix(workspace.id), cutoffs.unrecorded
                )
                on_progress(swept)
            swept.receipts = await self.ledger.delete_expired_receipts(self.now())
        if swept.exceeds_safety_limit and not yes:
            raise TooManyOrphans(swept)
        return swept

    async def delete_condemned(self) -> SweepReport:
        """Do only steps 1 to 4, without listing all objects: cheap enough for every few minutes."""
        swept = SweepReport()
        async with exclusively(self.deployments):
            await self._check_store(advance_generation=True)
            await self._delete_condemned_paths(swept, _ignore_progress, dry_run=False)
        return swept

    async def _check_store(self, *, advance_generation: bool) -> Deployment:
        deployment = await self.deployments.read()
        generation = verified_generation(deployment, await self.storage.read_mark())
        if advance_generation:
            # If an earlier sweep recorded a next generation but did not write it to the store, reuse it. The process of
            # that sweep may have lost its lock and may still write; both processes then write the same value.
            recorded = deployment.next_generation
            following = self.new_token() if recorded in (None, generation) else recorded
            await self.deployments.set_generation(generation, following)
            await self.storage.write_mark(store_mark(deployment, following), replace=True)
            await self.deployments.set_generation(following, None)
        return deployment

    async def _delete_condemned_paths(self, swept: SweepReport, on_progress: Progress, *, dry_run: bool) -> None:
        async for page in self.ledger.condemned():
            swept.condemned += len(page)
            if not dry_run:
                for workspace, condemned in groupby(page, key=attrgetter("workspace_id")):
                    await self._delete(workspace, [item.path for item in condemned], swept)
            on_progress(swept)

    async def _delete_orphans(
        self, cutoffs: "_Cutoffs", swept: SweepReport, on_progress: Progress, *, unrecorded: bool, inherited: bool
    ) -> None:
        # List again instead of remembering all orphans of the first listing. `condemn` skips paths recorded since.
        async for page in self._orphan_pages(cutoffs):
            orphans = [*page.late, *(page.unrecorded if unrecorded else ()), *(page.inherited if inherited else ())]
            if orphans:
                condemned = await self.ledger.condemn(page.workspace, orphans, self.now())
                await self._delete(page.workspace, condemned, swept)
            on_progress(swept)

    async def _delete_other_versions(self, swept: SweepReport, on_progress: Progress, *, dry_run: bool) -> None:
        for workspace in await self.workspaces.all():
            async for keys in self.storage.list_replaced(workspace_prefix(workspace.id)):
                paths = [path for key in keys if (path := _path(key, workspace.id)) is not None]
                for path, version in (await self.ledger.recorded_versions(workspace.id, paths)).items():
                    others = await self.storage.delete_other_versions(path, version, dry_run=dry_run)
                    swept.other_versions += others.found
                    swept.held += others.are_held
                on_progress(swept)

    async def _delete(self, workspace: WorkspaceId, paths: Sequence[StoragePath], swept: SweepReport) -> None:
        began = self.now()
        held = set(await self.storage.delete(paths))
        deleted = [path for path in paths if path not in held]
        # The other paths stay condemned, so the next sweep deletes there again: an upload may still arrive, or the
        # store still holds the object.
        await self.ledger.finalise(workspace, deleted, began - RECHECK_AFTER)
        swept.deleted += len(deleted)
        swept.held += len(held)

    async def _orphan_pages(self, cutoffs: "_Cutoffs") -> "AsyncIterator[OrphanPage]":
        """Yield all objects of all workspaces, page by page, with the orphans among them."""
        for workspace in await self.workspaces.all():
            async for page in self.storage.list(workspace_prefix(workspace.id)):
                objects = {path: item for item in page if (path := _path(item.key, workspace.id)) is not None}
                states = await self.ledger.states(workspace.id, list(objects))
                old = [
                    item
                    for path, item in objects.items()
                    if path not in states and item.modified_at <= cutoffs.unrecorded
                ]
                yield OrphanPage(
                    workspace=workspace.id,
                    objects=len(page),
                    foreign=len(page) - len(objects),
                    unrecorded=[item for item in old if item.modified_at >= cutoffs.inherited],
                    inherited=[item for item in old if item.modified_at < cutoffs.inherited],
                    late=[item for path, item in objects.items() if states.get(path) is PathState.GONE],
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cutoffs:
    """Objects without a record are orphans if not modified since `unrecorded`, and inherited if older than `inherited`.

    `inherited` is when this database claimed the store.
    """

    unrecorded: datetime
    inherited: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanPage:
    """One page of a listing: its number of objects, and its orphans by kind. `SweepReport` explains the kinds."""

    workspace: WorkspaceId
    objects: int
    foreign: int
    unrecorded: Sequence[ListedObject]
    inherited: Sequence[ListedObject]
    late: Sequence[ListedObject]

    def add_to(self, swept: SweepReport) -> None:
        """Add the counts of this page to the report."""
        old = [*self.unrecorded, *self.inherited]
        swept.objects += self.objects
        swept.foreign += self.foreign
        swept.unrecorded += len(old)
        swept.unrecorded_bytes += sum(item.size_bytes for item in old)
        swept.inherited += len(self.inherited)
        swept.late += len(self.late)


def _path(key: str, workspace: WorkspaceId) -> StoragePath | None:
    try:
        return storage_path(key, workspace)
    except RuleViolation:
        return None
