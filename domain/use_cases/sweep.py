"""Deleting bytes that belong to no document, and never bytes that a create could still record."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

from domain.documents import LINK_LIFETIME
from domain.ids import WorkspaceId
from domain.members import Wrong
from domain.paths import StoragePath, storage_path, workspace_prefix
from domain.use_cases.claim_storage import mark_of, require_current
from ports.deployment import Deployments
from ports.ledger import ObjectLedger, PathState
from ports.storage import Listed, ObjectStorage
from ports.system import Clock, NewSecret
from ports.workspaces import Workspaces

UNRECORDED_AFTER = timedelta(hours=24)
"""How long bytes may lie unrecorded."""

LOOK_AGAIN_AFTER = LINK_LIFETIME + timedelta(minutes=45)
"""When no upload to a condemned path can still be under way: its URL has ended, and slow ones have had their time."""

MOST_AT_ONCE = 1000
MOST_OF_ALL = 0.05


class AlreadySweeping(Exception):
    """Another process sweeps this deployment."""


@dataclass(slots=True)
class Swept:
    """What was found and done, all of it counts but `unrecorded_bytes`.

    `objects` were looked at. `unrecorded` of them, of so many bytes, have lain for more than a day without a record;
    `late` lie at paths whose bytes had been deleted before; `foreign` have keys at which nothing can be recorded, and
    are left alone. `condemned` paths were due, of deleted documents for the most part. `deleted` paths have no bytes
    any more. `unfinished` uploads and expired `receipts` were removed.
    """

    objects: int = 0
    unrecorded: int = 0
    unrecorded_bytes: int = 0
    late: int = 0
    foreign: int = 0
    condemned: int = 0
    deleted: int = 0
    unfinished: int = 0
    receipts: int = 0

    @property
    def is_much(self) -> bool:
        """Whether so much is unrecorded that rather the record is wrong than the bytes are nobody's."""
        return self.unrecorded > MOST_AT_ONCE or self.unrecorded > self.objects * MOST_OF_ALL


class TooMuch(Exception):
    """Nothing unrecorded was deleted: it would have been much, and nobody has said yes."""

    def __init__(self, swept: Swept) -> None:
        super().__init__(
            f"{swept.unrecorded} of {swept.objects} objects have no record: more than {MOST_OF_ALL:.0%}, or than "
            f"{MOST_AT_ONCE}, so nothing was deleted. If the database is complete, run 'dossier sweep --yes'"
        )
        self.swept = swept


Tell = Callable[[Swept], None]


def _quietly(_: Swept) -> None:
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
    - More than 5 % of all objects, or more than 1,000, are not deleted without a yes (`TooMuch`).
    - One process at a time (`AlreadySweeping`). Cut off at any point, the next sweep goes on.
    """

    workspaces: Workspaces
    ledger: ObjectLedger
    storage: ObjectStorage
    deployments: Deployments
    now: Clock
    new_token: NewSecret

    async def __call__(self, *, dry_run: bool = False, yes: bool = False, tell: Tell = _quietly) -> Swept:
        swept = Swept()
        async with self.deployments.alone() as is_alone:
            if not is_alone:
                raise AlreadySweeping
            await self._check_store(take_turn=not dry_run)
            await self._delete_condemned(swept, tell, dry_run=dry_run)
            # Counted before anything is deleted: a listing is cheap, what was deleted is gone.
            async for _, _ in self._doomed(swept, tell):
                pass
            if dry_run:
                return swept
            await self.deployments.swept(self.now())
            if swept.is_much and not yes:
                raise TooMuch(swept)
            if swept.unrecorded or swept.late:
                await self._delete_unrecorded(swept, tell)
            for workspace in await self.workspaces.all():
                before = self.now() - UNRECORDED_AFTER
                swept.unfinished += await self.storage.discard_unfinished(workspace_prefix(workspace.id), before)
                tell(swept)
            swept.receipts = await self.ledger.forget_receipts(self.now())
        return swept

    async def settle(self) -> Swept:
        """Only what is condemned already, without a look at all objects: cheap enough for every few minutes."""
        swept = Swept()
        async with self.deployments.alone() as is_alone:
            if not is_alone:
                raise AlreadySweeping
            await self._check_store(take_turn=True)
            await self._delete_condemned(swept, _quietly, dry_run=False)
        return swept

    async def _check_store(self, *, take_turn: bool) -> None:
        deployment = await self.deployments.read()
        turn = require_current(deployment, await self.storage.read_mark())
        if not take_turn:
            return
        # Noted here first, then there: cut off in between, either turn in the store is known here.
        following = self.new_token()
        await self.deployments.turn(turn, following)
        await self.storage.write_mark(mark_of(deployment.id, following), replace=True)
        await self.deployments.turn(following, None)

    async def _delete_condemned(self, swept: Swept, tell: Tell, *, dry_run: bool) -> None:
        async for page in self.ledger.condemned():
            swept.condemned += len(page)
            if not dry_run:
                for workspace, condemned in groupby(page, key=attrgetter("workspace_id")):
                    await self._delete(workspace, [item.path for item in condemned], swept)
            tell(swept)

    async def _delete_unrecorded(self, swept: Swept, tell: Tell) -> None:
        # Listed anew: what was recorded since is seen by `condemn`, and nothing need be remembered of the first time.
        async for workspace, objects in self._doomed(Swept(), _quietly):
            await self._delete(workspace, await self.ledger.condemn(workspace, objects, self.now()), swept)
            tell(swept)

    async def _delete(self, workspace: WorkspaceId, paths: Sequence[StoragePath], swept: Swept) -> None:
        looked_at = self.now()
        await self.storage.delete(paths)
        # The others stay condemned: bytes may still come, so they are looked at again.
        await self.ledger.settle(workspace, paths, looked_at - LOOK_AGAIN_AFTER)
        swept.deleted += len(paths)

    async def _doomed(self, swept: Swept, tell: Tell) -> AsyncIterator[tuple[WorkspaceId, Sequence[Listed]]]:
        """What nobody will miss, in pages: unrecorded for a day, or late at a path whose bytes were deleted."""
        for workspace in await self.workspaces.all():
            async for page in self.storage.list(workspace_prefix(workspace.id)):
                before = self.now() - UNRECORDED_AFTER
                objects = {path: item for item in page if (path := _path(item.key, workspace.id)) is not None}
                states = await self.ledger.states(workspace.id, list(objects))
                unrecorded = [
                    item for path, item in objects.items() if path not in states and item.modified_at <= before
                ]
                late = [item for path, item in objects.items() if states.get(path) is PathState.GONE]
                swept.objects += len(page)
                swept.foreign += len(page) - len(objects)
                swept.unrecorded += len(unrecorded)
                swept.unrecorded_bytes += sum(item.size_bytes for item in unrecorded)
                swept.late += len(late)
                tell(swept)
                if doomed := [*unrecorded, *late]:
                    yield workspace.id, doomed


def _path(key: str, workspace: WorkspaceId) -> StoragePath | None:
    try:
        return storage_path(key, workspace)
    except Wrong:
        return None
