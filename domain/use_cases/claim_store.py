"""Make sure that a database and an object store belong together, before any object is deleted.

Three accidents look as if the store had lost its objects: a volume that is not mounted, a wrong bucket in the settings,
and a database restored beside another store. A fourth accident is worse: a copy of the database records documents in
the same store. The original database does not know these documents, so its sweep would delete their objects as orphans.

Therefore the database and the store have the same identity: the database in its `Deployment` row, the store in its
mark, which is the text "<deployment id> <generation>". By the id, a foreign store is detected. By the generation, which
a server replaces in both soon after every change (see `generations`), a database that was restored from a dump or
copied is detected, because it has an old generation.

To claim (`ClaimStore`, at every start):

1. Read the deployment and the mark.
2. If the database has never claimed a store and the store has no mark, write the mark, but only if there is still none.
   If two databases claim one store at once, the first mark stays and the other database is refused in step 3.
   A crash here leaves a marked store. The next start finds its own mark and continues with step 3.
3. Read the deployment, the mark, and the deployment again, because another process may replace the generation
   meanwhile. Refuse the store unless the mark has the id of the deployment, and a generation that one of the readings
   has. If the generation was replaced between the readings, read again before refusing.
4. If the database has never claimed a store, record the time of the claim.
5. Otherwise refuse if the store has uploads that the database never issued: it has lost its newest records, too few or
   too new to be noticed by the generation.

To adopt (`AdoptStore`, when an operator declares that database and store belong together):

1. Take the locks of the deployment, so that no other process sweeps or changes the mark at the same time.
2. Give the deployment a new id and generation, and forget the claim. A crash here leaves a store with a foreign mark,
   which is refused until the operator runs the command again. A store without a mark is claimed at the next start.
3. Replace the store's mark. Any other database that had this store is refused from now on. A crash here leaves the
   claim without its time; the next claim records it.
4. Record the time of the claim.
"""

from dataclasses import dataclass

from domain.use_cases.compare_store import unissued_uploads
from domain.use_cases.generations import ForeignStore, exclusively, store_mark, verified_deployment
from domain.wording import counted
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
        new = await self.deployments.read()
        if new.claimed_at is None and await self.storage.read_mark() is None:
            await self.storage.write_mark(store_mark(new.id, new.generation), replace=False)
        deployment = await verified_deployment(self.deployments, self.storage)
        if deployment.claimed_at is None:
            await self.deployments.claim(self.now())
            return
        since = max(deployment.claimed_at, deployment.issued_since)
        lost = await unissued_uploads(self.workspaces, self.ledger, self.storage, since=since, now=self.now())
        if lost:
            raise ForeignStore(
                f"the object store has {counted(len(lost), 'upload')} that this database never issued, such as "
                f"{lost[0]}: the database was restored to an earlier time or copied, and lacks at least the records of "
                "these. 'dossier adopt --dry-run' lists them. Restore a later state of the database; or, if the "
                "records are lost, run 'dossier adopt'"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptStore:
    """Bind the database and the store to each other, even if they belonged to another store or database before.

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
