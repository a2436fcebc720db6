"""Make sure that a database and an object store belong together, before any object is deleted.

Three accidents look as if the store had lost its objects: a volume that is not mounted, a wrong bucket in the settings,
and a database restored beside another store. A fourth is worse. The original database has no record of what a copy of
it recorded, so its sweep would delete those objects as orphans.

Both sides therefore carry the same identity: the database in its `Deployment` row, the store in its mark, which is the
text "<deployment id> <generation>". The id detects a foreign store. The generation, which a server replaces in both
soon after every change (see `generations`), detects a database that was restored from a dump or copied: it still has an
old one.

To claim (`ClaimStore`, at every start):

1. Read the deployment and the mark.
2. If the database has never claimed a store and the store has no mark, write the mark, but only if there is still none.
   Read it again: if two databases claim one store at once, the first mark stays and the other database is refused.
   A crash here leaves a marked store. The next start finds its own mark and continues with step 3.
3. Read the deployment again, and refuse unless the mark has its id and a generation that one of the two readings
   knows: another process may replace the generation at any moment in between.
4. If the database has never claimed a store, record the time of the claim.
5. Otherwise refuse if the store has uploads that the database never issued: it has lost its newest records, too few or
   too new to be noticed by the generation.

To adopt (`AdoptStore`, when an operator says that the two belong together):

1. Take the locks of the deployment, so that no other process sweeps or changes the mark at the same time.
2. Give the database a new id and generation; it has claimed no store now. A crash here leaves a store with a foreign
   mark, which is refused until the operator runs the command again. A store without a mark is claimed at the next
   start.
3. Replace the store's mark. Any other database that had this store is refused from now on. A crash here leaves the
   claim without its time; the next claim records it.
4. Record the time of the claim.
"""

from dataclasses import dataclass

from domain.use_cases.compare_store import unissued_uploads
from domain.use_cases.generations import ForeignStore, exclusively, store_mark, verify_mark
from ports.deployment import Deployment, Deployments, Task
from ports.ledger import ObjectLedger
from ports.storage import ObjectStorage
from ports.system import Clock
from ports.workspaces import Workspaces


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStore:
    """Check that the store belongs to this database. Claim the store if neither has been used yet.

    Raises:
        ForeignStore: the store belongs to another database or to a later state of this one; or the store has no mark
            although this database has claimed one.
    """

    workspaces: Workspaces
    ledger: ObjectLedger
    deployments: Deployments
    storage: ObjectStorage
    now: Clock

    async def __call__(self) -> None:
        earlier = await self.deployments.read()
        mark = await self.storage.read_mark()
        if mark is None and earlier.claimed_at is None:
            await self.storage.write_mark(store_mark(earlier.id, earlier.generation), replace=False)
            mark = await self.storage.read_mark()
        deployment = await self.deployments.read()
        verify_mark(mark, deployment, earlier)
        if deployment.claimed_at is None:
            await self.deployments.claim(self.now())
            return
        since = max(deployment.claimed_at, deployment.issued_since)
        lost = await unissued_uploads(self.workspaces, self.ledger, self.storage, since=since, now=self.now())
        if lost:
            raise ForeignStore(
                f"the object store has {len(lost)} uploads that this database never issued, such as {lost[0]}: the "
                "database was restored to an earlier time or copied, and lacks at least the records of these. "
                "'dossier adopt --dry-run' lists them. Restore a later state of the database; or, if the records are "
                "lost, run 'dossier adopt'"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptStore:
    """Bind the database and the store to each other, whatever either belonged to before.

    Both get a new id. A copy of this database, or the database that had the store before, can no longer use the store.

    Raises:
        TaskTaken: another process sweeps or changes the mark.
    """

    deployments: Deployments
    storage: ObjectStorage
    now: Clock

    async def __call__(self) -> Deployment:
        async with (
            exclusively(self.deployments, Task.SWEEP),
            exclusively(self.deployments, Task.ADVANCE_GENERATION),
        ):
            deployment = await self.deployments.renew()
            await self.storage.write_mark(store_mark(deployment.id, deployment.generation), replace=True)
            await self.deployments.claim(self.now())
            return deployment
