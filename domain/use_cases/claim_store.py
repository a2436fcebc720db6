"""Make sure that a database and an object store belong together, before any object is deleted.

Three accidents look as if the store had lost its objects: a volume that is not mounted, a wrong bucket in the settings,
and a database restored beside another store. A fourth accident is worse: a copy of the database records documents in
the same store. The original database does not know these documents, so its sweep would delete their objects as orphans.

Therefore the database and the store have the same identity: the database in its `Deployment` row, the store in its
mark, which is the text "<deployment id> <generation>". By the id, a foreign store is detected. By the generation, which
every sweep replaces in both (see `domain.use_cases.sweep`), a database that was restored from a dump or copied is
detected, because it has an old generation.

To claim (`ClaimStore`, at every start):

1. Read the deployment and the mark.
2. If the database has never claimed a store and the store has no mark, write the mark, but only if there is still none.
   Read it again: if two databases claim one store at once, the first mark stays and the other database is refused.
   A crash here leaves a marked store. The next start finds its own mark and continues with step 3.
3. Read the deployment again, because a sweep of another process may have replaced the generation meanwhile. Refuse the
   store unless the mark has the id of the deployment, and a generation that the deployment had in step 1 or has now.
4. If the database has never claimed a store, record the time of the claim.

To adopt (`AdoptStore`, when an operator declares that database and store belong together):

1. Take the deployment's lock, so that no sweep changes the mark at the same time.
2. Give the deployment a new id and generation, and forget the claim. A crash here leaves a store with a foreign mark,
   which is refused until the operator runs the command again. A store without a mark is claimed at the next start.
3. Replace the store's mark. Any other database that had this store is refused from now on. A crash here leaves the
   claim without its time; the next claim records it.
4. Record the time of the claim.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ports.deployment import Deployment, Deployments
from ports.storage import ObjectStorage
from ports.system import Clock


class ForeignStore(Exception):
    """The store and the database do not belong together. The text says what the operator can do."""


class AlreadySweeping(Exception):
    """Another process is sweeping this deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStore:
    """Check that the store belongs to this database. Claim the store if neither has been used yet.

    Raises:
        ForeignStore: the store belongs to another database or to a later state of this one; or the store has no mark
            although this database has claimed one.
    """

    deployments: Deployments
    storage: ObjectStorage
    now: Clock

    async def __call__(self) -> None:
        earlier = await self.deployments.read()
        mark = await self.storage.read_mark()
        if mark is None and earlier.claimed_at is None:
            await self.storage.write_mark(store_mark(earlier), replace=False)
            mark = await self.storage.read_mark()
        deployment = await self.deployments.read()
        verified_generation(deployment, mark, earlier)
        if deployment.claimed_at is None:
            await self.deployments.claim(self.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptStore:
    """Bind the database and the store to each other, even if they belonged to another store or database before.

    Both get a new id. A copy of this database, or the database that had the store before, can no longer use the store.

    Raises:
        AlreadySweeping: another process holds the deployment's lock.
    """

    deployments: Deployments
    storage: ObjectStorage
    now: Clock

    async def __call__(self) -> Deployment:
        async with exclusively(self.deployments):
            deployment = await self.deployments.renew()
            await self.storage.write_mark(store_mark(deployment), replace=True)
            await self.deployments.claim(self.now())
            return deployment


@asynccontextmanager
async def exclusively(deployments: Deployments) -> AsyncIterator[None]:
    """Hold the deployment's lock for the block, so that no other process sweeps or changes the store's mark.

    Raises:
        AlreadySweeping: another process holds the lock.
    """
    async with deployments.exclusive() as is_alone:
        if not is_alone:
            raise AlreadySweeping
        yield


def store_mark(deployment: Deployment, generation: str | None = None) -> str:
    """Return the mark for the store of a deployment, with its current generation unless another is given."""
    return f"{deployment.id} {generation or deployment.generation}"


def verified_generation(deployment: Deployment, mark: str | None, earlier: Deployment | None = None) -> str:
    """Return the generation in the store's mark.

    `earlier` is the deployment as it was before the mark was read. Pass it if a sweep of another process may run: the
    sweep may have replaced the generation after the mark was read, and then only `earlier` has the generation of the
    mark.

    Raises:
        ForeignStore: the store has no mark, the mark of another deployment, or a generation this database does not
            know.
    """
    if mark is None:
        raise ForeignStore(
            "the object store has no mark of this deployment, although the database has claimed one: a volume may not "
            "be mounted, or DOSSIER_STORAGE_URL may have changed. If this store shall belong to this database from "
            "now on, run 'dossier adopt'"
        )
    owner, _, generation = mark.partition(" ")
    if owner != deployment.id:
        raise ForeignStore(
            f"the object store belongs to deployment {owner}, the database to {deployment.id}: one of them belongs to "
            "another installation, or is a copy. If they shall belong together from now on, run 'dossier adopt'"
        )
    # Generations are random, so if an adoption has replaced the deployment meanwhile, its old generation cannot match.
    readings = (deployment,) if earlier is None else (deployment, earlier)
    if not any(generation in (reading.generation, reading.next_generation) for reading in readings):
        raise ForeignStore(
            "the object store and the database are of different times: the database was restored from a dump or "
            "copied, and may lack records; or the store was restored. If they shall belong together from now on, run "
            "'dossier adopt'; objects without a record are then orphans, which 'dossier sweep --yes' deletes"
        )
    return generation
