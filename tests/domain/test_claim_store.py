"""Claiming and adopting an object store."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.memory.deployments import MemoryDeployments
from adapters.memory.storage import MemoryStorage
from domain.use_cases.claim_store import AdoptStore, ClaimStore
from domain.use_cases.generations import ForeignStore
from tests.domain.world import World


async def test_a_new_database_claims_a_new_store_once(world: World) -> None:
    for _ in range(3):
        await world.claim_store()
    deployment = await world.deployments.read()
    assert deployment.claimed_at == world.clock()
    assert await world.storage.read_mark() == f"{deployment.id} {deployment.generation}"


async def test_the_next_claim_finishes_an_interrupted_claim(world: World) -> None:
    deployment = await world.deployments.read()
    await world.storage.write_mark(f"{deployment.id} {deployment.generation}", replace=False)
    await world.claim_store()
    assert (await world.deployments.read()).claimed_at == world.clock()


def another_store(world: World) -> ClaimStore:
    return replace(world.claim_store, storage=MemoryStorage("https://other.test"))


def another_database(world: World) -> ClaimStore:
    return replace(world.claim_store, deployments=MemoryDeployments())


@pytest.mark.parametrize(
    ("other", "why"),
    [(another_store, "has no mark of this deployment"), (another_database, "belongs to deployment")],
)
async def test_a_store_and_a_database_that_do_not_belong_together_are_refused_until_adopted(
    world: World, other: Callable[[World], ClaimStore], why: str
) -> None:
    await world.claim_store()
    claim = other(world)
    with pytest.raises(ForeignStore, match=why):
        await claim()

    adopt = AdoptStore(deployments=claim.deployments, storage=claim.storage, now=claim.now)
    await adopt()
    await claim()
    # The database that had the store before is refused from now on.
    if claim.storage is world.storage:
        with pytest.raises(ForeignStore):
            await world.claim_store()


async def test_an_interrupted_adoption_is_refused_and_can_be_repeated(world: World) -> None:
    await world.claim_store()
    await world.deployments.renew()
    with pytest.raises(ForeignStore):
        await world.claim_store()
    await world.adopt_store()
    await world.claim_store()
