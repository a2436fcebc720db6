"""What `dossier doctor` says while other processes go on."""

from adapters.memory.deployments import MemoryDeployments
from app.doctor import check_deployment
from ports.checks import Grade
from ports.deployment import Deployment
from tests.domain.world import World


async def test_a_sweep_between_two_questions_makes_no_stranger_of_the_store() -> None:
    world = World()
    await world.claim_storage()

    class SweepReport(MemoryDeployments):
        """Whoever asks, a sweep comes right after."""

        async def read(self) -> Deployment:
            known = await world.deployments.read()
            if not hasattr(self, "asked"):
                self.asked = True
                await world.sweep.delete_condemned()
            return known

    finding = await check_deployment(world.storage, SweepReport())
    assert finding.grade is Grade.OK, finding.found
