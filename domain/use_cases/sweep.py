"""Deleting bytes that belong to no document, and never bytes that a create could still record."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from domain.documents import SIGNED_URL_LIFETIME
from domain.ids import WorkspaceId
from domain.members import RuleViolation
from domain.paths import StoragePath, storage_path, workspace_prefix
from domain.use_cases.claim_storage import exclusively, store_mark, verified_generation
from ports.deployment import Deployment, Deployments
from ports.ledger import ObjectLedger, PathState
from ports.storage import ListedObject, ObjectStorage
from ports.system import Clock, NewSecret
from ports.workspaces import Workspaces

ORPHANED_AFTER = timedelta(hours=24)
"""How long bytes may lie unrecorded."""

RECHECK_AFTER = SIGNED_URL_LIFETIME + timedelta(minutes=45)
"""When no upload to a condemned path can still be under way: its URL has ended, and slow ones have had their time."""

ORPHANS_MAX = 1000
ORPHAN_SHARE_MAX = 0.05


@dataclass(slots=True)
class SweepReport:
    """What was found and done, all of it counts but `unrecorded_bytes`.

    `objects` were looked at. `unrecorded` of them, of so many bytes, have lain for more than a day without a record,
    `inherited` of these since before the store was this database's; `late` lie at paths whose bytes had been deleted
    before; `foreign` have keys at which nothing can be recorded, and are left alone. `condemned` paths were due, of
    deleted documents for the most part. `deleted` paths have no bytes any more; those `held` have, because the store
    does not give them up. `unfinished` uploads and expired `receipts` were removed.
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
    unfinished: int = 0
    receipts: int = 0

    @property
    def exceeds_safety_limit(self) -> bool:
        """Whether so much is unrecorded that rather the record is wrong than the bytes are nobody's."""
        return self.unrecorded > ORPHANS_MAX or self.unrecorded > self.objects * ORPHAN_SHARE_MAX


class TooManyOrphans(Exception):
    """Nothing unrecorded was deleted, but everything else: it would have been much, and nobody has said yes."""

    def __init__(self, swept: SweepReport) -> None:
        super().__init__(
            f"{swept.unrecorded} of {swept.objects} objects have no record: more than {ORPHAN_SHARE_MAX:.0%}, or than "
            f"{ORPHANS_MAX}, so they were left alone. If the database is complete, run 'dossier sweep --yes'"
        )
        self.swept = swept


Progress = Callable[[SweepReport], None]


def _ignore_progress(_: SweepReport) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Delete the bytes of deleted documents, uploads that were not recorded within a day or never finished, and
    receipts that have expired.

    - Only below the prefixes of this database's workspaces, and only in the store that belongs to it (`NotOurStorage`).
    - A path is condemned in the ledger before its bytes are deleted: a create that comes first wins, one that comes
      later is refused, and none records bytes that are on their way out.
    - A condemned path is looked at again once its upload URL has ended; bytes that come later still are found by the
      next sweep.
    - Unrecorded bytes are left alone without a yes when they are more than 5 % of all objects, or more than 1,000
      (`TooMuch`), or have lain there since before the store was this database's.
    - One process at a time (`AlreadySweeping`). Cut off at any point, the next sweep goes on.
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
            ages = _Cutoffs(unrecorded=began - ORPHANED_AFTER, inherited=deployment.claimed_at or began)
            await self._delete_condemned_paths(swept, on_progress, dry_run=dry_run)
            # Counted before anything is deleted: a listing is cheap, what was deleted is gone.
            async for found in self._orphan_pages(ages):
                found.count(swept)
                on_progress(swept)
            if dry_run:
                return swept
            await self.deployments.record_sweep(self.now())
            if swept.unrecorded or swept.late:
                await self._delete_orphans(
                    ages, swept, on_progress, unrecorded=yes or not swept.exceeds_safety_limit, inherited=yes
                )
            for workspace in await self.workspaces.all():
                swept.unfinished += await self.storage.discard_unfinished(
                    workspace_prefix(workspace.id), ages.unrecorded
                )
                on_progress(swept)
            swept.receipts = await self.ledger.delete_expired_receipts(self.now())
        if swept.exceeds_safety_limit and not yes:
            raise TooManyOrphans(swept)
        return swept

    async def delete_condemned(self) -> SweepReport:
        """Only what is condemned already, without a look at all objects: cheap enough for every few minutes."""
        swept = SweepReport()
        async with exclusively(self.deployments):
            await self._check_store(advance_generation=True)
            await self._delete_condemned_paths(swept, _ignore_progress, dry_run=False)
        return swept

    async def _check_store(self, *, advance_generation: bool) -> Deployment:
        deployment = await self.deployments.read()
        generation = verified_generation(deployment, await self.storage.read_mark())
        if advance_generation:
            # Noted here first, then there: cut off in between, either turn in the store is known here. One that was
            # noted and not taken is taken now: whoever noted it may still be about to, when its lock was lost.
            noted = deployment.next_generation
            following = self.new_token() if noted in (None, generation) else noted
            await self.deployments.set_generation(generation, following)
            await self.storage.write_mark(store_mark(deployment.id, following), replace=True)
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
        self, ages: "_Cutoffs", swept: SweepReport, on_progress: Progress, *, unrecorded: bool, inherited: bool
    ) -> None:
        # Listed anew: what was recorded since is seen by `condemn`, and nothing need be remembered of the first time.
        async for found in self._orphan_pages(ages):
            doomed = [*found.late, *(found.unrecorded if unrecorded else ()), *(found.inherited if inherited else ())]
            if doomed:
                condemned = await self.ledger.condemn(found.workspace, doomed, self.now())
                await self._delete(found.workspace, condemned, swept)
            on_progress(swept)

    async def _delete(self, workspace: WorkspaceId, paths: Sequence[StoragePath], swept: SweepReport) -> None:
        looked_at = self.now()
        held = set(await self.storage.delete(paths))
        deleted = [path for path in paths if path not in held]
        # The others stay condemned: bytes may still come, or are still there, so they are looked at again.
        await self.ledger.finalise(workspace, deleted, looked_at - RECHECK_AFTER)
        swept.deleted += len(deleted)
        swept.held += len(held)

    async def _orphan_pages(self, ages: "_Cutoffs") -> "AsyncIterator[OrphanPage]":
        """What nobody will miss, in pages."""
        for workspace in await self.workspaces.all():
            async for page in self.storage.list(workspace_prefix(workspace.id)):
                objects = {path: item for item in page if (path := _path(item.key, workspace.id)) is not None}
                states = await self.ledger.states(workspace.id, list(objects))
                old = [
                    item for path, item in objects.items() if path not in states and item.modified_at <= ages.unrecorded
                ]
                yield OrphanPage(
                    workspace=workspace.id,
                    objects=len(page),
                    foreign=len(page) - len(objects),
                    unrecorded=[item for item in old if item.modified_at >= ages.inherited],
                    inherited=[item for item in old if item.modified_at < ages.inherited],
                    late=[item for path, item in objects.items() if states.get(path) is PathState.GONE],
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cutoffs:
    """What was put there before the one has lain long enough; before the other, nobody knows for whom."""

    unrecorded: datetime
    inherited: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanPage:
    """A page of a listing, and those of its objects that have no record."""

    workspace: WorkspaceId
    objects: int
    foreign: int
    unrecorded: Sequence[ListedObject]
    inherited: Sequence[ListedObject]
    late: Sequence[ListedObject]

    def count(self, swept: SweepReport) -> None:
        """Add this page to what was found."""
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
