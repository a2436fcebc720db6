"""The checks of `dossier doctor` while other processes run."""

from adapters.memory.deployments import MemoryDeployments
from app.doctor import check_deployment
from ports.checks import Grade
from ports.deployment import Deployment
from tests.domain.world import World


async def test_a_sweep_between_two_reads_does_not_fail_the_check() -> None:
    world = World()
    await world.claim_store()

    class SweptAfterRead(MemoryDeployments):
        """Deployments that are swept right after the first read."""

        async def read(self) -> Deployment:
            known = await world.deployments.read()
            if not hasattr(self, "asked"):
                self.asked = True
                await world.sweep.delete_condemned()
            return known

    result = await check_deployment(world.storage, SweptAfterRead())
    assert result.grade is Grade.OK, result.found
