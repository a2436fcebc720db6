"""Which store belongs to which database: told before a byte is taken for lost, or for nobody's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ports.deployment import Deployment, Deployments
from ports.storage import ObjectStorage
from ports.system import Clock


class NotOurStorage(Exception):
    """The store and the database do not belong together; the text says what to do."""


class AlreadySweeping(Exception):
    """Another process sweeps this deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStorage:
    """Make sure that the store is the one this database knows; claim it, where neither knows the other yet.

    A volume that is not mounted, another bucket's name in the settings, and a database restored beside another store
    look like a store that has lost everything. And what a copy of the database records is nobody's to the original,
    which would delete the bytes.

    Raises:
        NotOurStorage: the store belongs to another database or to a later state of this one, or has no mark although
            this one has claimed a store.
    """

    deployments: Deployments
    storage: ObjectStorage
    now: Clock

    async def __call__(self) -> None:
        deployment = await self.deployments.read()
        mark = await self.storage.read_mark()
        if mark is None and deployment.claimed_at is None:
            await self.storage.write_mark(store_mark(deployment.id, deployment.generation), replace=False)
            # Read again: of two that claim one store, the first has it.
            mark = await self.storage.read_mark()
        # Asked again, in case a sweep of another process changed the turn between the two questions.
        deployment = await self.deployments.read()
        verified_generation(deployment, mark)
        if deployment.claimed_at is None:
            await self.deployments.claim(self.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptStorage:
    """Let the database and the store belong together from now on, whomever they belonged to.

    Both get a new id: so a copy of this database, or the one that had the store before, has it no longer.

    Raises:
        AlreadySweeping: a sweep is under way, which marks the store too.
    """

    deployments: Deployments
    storage: ObjectStorage
    now: Clock

    async def __call__(self) -> Deployment:
        async with exclusively(self.deployments):
            deployment = await self.deployments.renew()
            # In this order: when this is cut off, the two do not belong together, which is told, and it is done again.
            await self.storage.write_mark(store_mark(deployment.id, deployment.generation), replace=True)
            await self.deployments.claim(self.now())
            return deployment


@asynccontextmanager
async def exclusively(deployments: Deployments) -> AsyncIterator[None]:
    """Nobody else sweeps, or marks the store, until the end of the block.

    Raises:
        AlreadySweeping: somebody does.
    """
    async with deployments.exclusive() as is_alone:
        if not is_alone:
            raise AlreadySweeping
        yield


def store_mark(deployment_id: str, generation: str) -> str:
    """What the store of a deployment is marked with."""
    return f"{deployment_id} {generation}"


def _require_same_deployment(deployment: Deployment, mark: str | None) -> None:
    """Refuse a store that does not bear this deployment's mark.

    Raises:
        NotOurStorage: saying what it is instead.
    """
    if mark is None:
        raise NotOurStorage(
            "the object store has no mark of this deployment, although the database has used one: is a volume not "
            "mounted, or DOSSIER_STORAGE_URL another than before? If this store shall belong to this database from "
            "now on, run 'dossier adopt'"
        )
    owner = mark.partition(" ")[0]
    if owner != deployment.id:
        raise NotOurStorage(
            f"the object store belongs to deployment {owner}, the database to {deployment.id}: one of them is "
            "another's, or a copy. If they shall belong together from now on, run 'dossier adopt'"
        )


def verified_generation(deployment: Deployment, mark: str | None) -> str:
    """The turn that the store's mark has, if it is one this database knows.

    Raises:
        NotOurStorage: the store is another's; or it was swept by a database that this one is a copy of, or a dump of:
            what is recorded there would be nobody's here.
    """
    _require_same_deployment(deployment, mark)
    generation = (mark or "").partition(" ")[2]
    if generation not in (deployment.generation, deployment.next_generation):
        raise NotOurStorage(
            "the object store and the database are not of one time: this database was restored from a dump, or copied, "
            "and may not know all that is recorded; or the store was restored. If they shall belong together from now "
            "on, run 'dossier adopt'; bytes recorded elsewhere are nobody's then"
        )
    return generation
