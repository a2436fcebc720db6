"""Replace the generation regularly, so that a database that was restored or copied is noticed.

Database and store carry the same generation (see `claim_store`). A database that was restored from a dump has the
generation of the dump. A start notices that if the generation was replaced after the dump. So a server replaces it ten
seconds after a change, and once more when it ends.

To advance, in order:

1. Read the deployment and the store's mark, and refuse a store that is not ours.
2. If nothing was recorded since the present generation began, leave it.
3. Take the lock of this task, and repeat steps 1 and 2: one process advances at a time. A process that loses the lock
   without notice may go on beside another one. Steps 4 and 5 tolerate that.
4. Announce the next generation in the database, write it into the store's mark, then make it the present one in the
   database. Until the last write, the database accepts both generations, so a crash after either of the first two
   leaves a pair that still belongs together. The database refuses an announcement that does not follow the present
   generation, and a beginning that was not announced. So a process that was delayed cannot set the generation back.
5. If the database refused the beginning, the mark may be older than the database by now. Write the newest generation
   that the database knows into the mark, until the database has the same one before and after.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ports.deployment import Deployment, Deployments, Task
from ports.storage import ObjectStorage
from ports.system import NewSecret


class ForeignStore(Exception):
    """The store and the database do not belong together. The text says what the operator can do."""


class TaskTaken(Exception):
    """Another process of this deployment does the same task."""

    def __init__(self, task: Task) -> None:
        super().__init__(f"another process of this deployment does this now ({task.value}); wait until it has finished")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceGeneration:
    """Check that the store belongs to this database. Replace the generation in both, if anything was recorded since.

    `always` replaces it in any case. If another process replaces it at the same time, this one only checks.

    Raises:
        ForeignStore: the store does not belong to this database.
    """

    deployments: Deployments
    storage: ObjectStorage
    new_token: NewSecret

    async def __call__(self, *, always: bool = False) -> Deployment:
        deployment = await verified_deployment(self.deployments, self.storage)
        # The lock occupies a connection to the database, so it is taken only if it is needed.
        if not always and not _has_changed(deployment):
            return deployment
        async with self.deployments.exclusive(Task.ADVANCE_GENERATION) as is_alone:
            deployment = await verified_deployment(self.deployments, self.storage)
            if is_alone and (always or _has_changed(deployment)):
                await self._replace(deployment)
            return deployment

    async def _replace(self, deployment: Deployment) -> None:
        # An interrupted run may have announced a generation, and its process may still write it. So reuse it. A dump of
        # the database may contain the announced generation, but not the changes since. So the generation must not cover
        # these, and the next call replaces it. For the same reason, no generation covers changes that are not settled:
        # a dump may contain the generation, but not these changes.
        following = deployment.next_generation or self.new_token()
        covers_all = deployment.next_generation is None and deployment.is_settled
        covered = deployment.changes if covers_all else deployment.changes_marked or 0
        if not await self.deployments.announce_generation(following, after=deployment.generation):
            # Another process has replaced the generation since, or does so now.
            return
        mark = store_mark(deployment.id, following)
        while True:
            await self.storage.write_mark(mark, replace=True)
            if await self.deployments.begin_generation(following, covered):
                return
            present = await self.deployments.read()
            following = present.next_generation or present.generation
            written, mark = mark, store_mark(present.id, following)
            if mark == written:
                return


@asynccontextmanager
async def exclusively(deployments: Deployments, task: Task) -> AsyncIterator[None]:
    """Hold the lock of a task for the block.

    Raises:
        TaskTaken: another process holds the lock.
    """
    async with deployments.exclusive(task) as is_alone:
        if not is_alone:
            raise TaskTaken(task)
        yield


def _has_changed(deployment: Deployment) -> bool:
    """Return whether anything was recorded since the present generation began."""
    return deployment.changes != (deployment.changes_marked or 0)


def store_mark(deployment_id: str, generation: str) -> str:
    """Return the mark for the store of a deployment."""
    return f"{deployment_id} {generation}"


async def verified_deployment(deployments: Deployments, storage: ObjectStorage) -> Deployment:
    """Return the deployment of this database, if the store belongs to it. Change nothing.

    Raises:
        ForeignStore: the store does not belong to this database.
    """
    deployment = await deployments.read()
    while True:
        earlier, mark = deployment, await storage.read_mark()
        deployment = await deployments.read()
        refusal = _refusal(mark, deployment, earlier)
        if refusal is None:
            return deployment
        # If the generation was replaced between the reads, the mark may have one that was between theirs.
        if _generations(earlier) == _generations(deployment):
            raise refusal


def _generations(deployment: Deployment) -> tuple[str, str, str | None]:
    return deployment.id, deployment.generation, deployment.next_generation


def _refusal(mark: str | None, deployment: Deployment, earlier: Deployment) -> ForeignStore | None:
    """Return why the store with this mark does not belong to the deployment; `None` if it does.

    `earlier` is the deployment as it was before the mark was read, `deployment` as it was after. Another process may
    replace the generation between the reads, so only one of the two readings may contain the generation of
    the mark.
    """
    if mark is None:
        return ForeignStore(
            "the object store has no mark of this deployment, although the database has claimed one: a volume may not "
            "be mounted, or DOSSIER_STORAGE_URL may have changed. If this store shall belong to this database from "
            "now on, run 'dossier adopt'"
        )
    owner, _, generation = mark.partition(" ")
    if owner != deployment.id:
        return ForeignStore(
            f"the object store belongs to deployment {owner}, the database to {deployment.id}: one of them belongs to "
            "another installation, or is a copy. If they shall belong together from now on, run 'dossier adopt'"
        )
    # No two deployments share a generation, so one that an adoption replaced in between cannot match.
    if not any(generation in (reading.generation, reading.next_generation) for reading in (deployment, earlier)):
        return ForeignStore(
            "the object store and the database are of different times: the database was restored from a dump or "
            "copied, and may lack records; or the store was restored. 'dossier adopt --dry-run' lists what they do not "
            "know of each other. If they shall belong together from now on, run 'dossier adopt'"
        )
    return None
