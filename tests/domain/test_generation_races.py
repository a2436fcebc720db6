"""The generation is replaced at every pause of a reading, and of a process that replaces it without the lock."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement, product
from typing import Any

import pytest

from domain.use_cases.generations import ForeignStore, verified_deployment
from ports.deployment import Task
from ports.system import Unavailable
from tests.domain.world import Instead, World, unavailable

pytestmark = pytest.mark.usefixtures("claimed")

Act = Callable[[], Awaitable[object]]


@dataclass
class Pauses:
    """Acts between the calls of ports: `acts` has those before the first call, before the second one, and so on."""

    acts: Iterator[list[Act]]
    count: int = field(default=0)

    def at(self, port: object) -> Any:
        """Return the port with a pause before every call."""
        return Paused(port, self)

    async def __call__(self) -> None:
        self.count += 1
        for act in next(self.acts, []):
            await act()


class Paused(Instead):
    def __init__(self, port: object, pause: Pauses) -> None:
        super().__init__(port)
        self._pause = pause

    def __getattr__(self, method: str) -> Any:
        call = super().__getattr__(method)
        if not inspect.iscoroutinefunction(call):
            # A context or a listing, during which others act anyway.
            return call

        async def paused(*arguments: object, **named: object) -> object:
            await self._pause()
            return await call(*arguments, **named)

        return paused


@pytest.mark.parametrize("reader", ["verified_deployment", "claim_store", "advance_generation", "sweep"])
async def test_a_store_is_never_foreign_because_the_generation_is_replaced_while_it_is_read(
    world: World, reader: str
) -> None:
    async def replaced() -> None:
        await world.advance_generation(always=True)

    for counts in product(range(3), repeat=4):
        pauses = Pauses(iter([[replaced] * count for count in counts]))
        deployments, storage = pauses.at(world.deployments), pauses.at(world.storage)
        match reader:
            case "verified_deployment":
                await verified_deployment(deployments, storage)
            case "sweep":
                await replace(world.sweep, deployments=deployments, storage=storage)(dry_run=True)
            case use_case:
                await replace(getattr(world, use_case), deployments=deployments, storage=storage)()
        assert pauses.count >= 3


def actions(world: World) -> list[Act]:
    """What another process may do: replace the generation completely or up to a crash, or adopt the store."""

    async def cut_off(**ports: Any) -> None:
        # Between the two writes of a delayed process, the mark is older than the database.
        with suppress(Unavailable, ForeignStore):
            await replace(world.advance_generation, **ports)(always=True)

    async def replaced() -> None:
        await cut_off()

    async def replaced_twice() -> None:
        await cut_off()
        await cut_off()

    async def announced() -> None:
        await cut_off(storage=Instead(world.storage, write_mark=unavailable))

    async def written() -> None:
        await cut_off(deployments=Instead(world.deployments, begin_generation=unavailable))

    async def adopted() -> None:
        await world.adopt_store()

    return [replaced, replaced_twice, announced, written, adopted]


class NotLocked(Instead):
    """Deployments that always grant the lock, as after a lost connection."""

    @asynccontextmanager
    async def exclusive(self, task: Task) -> AsyncIterator[bool]:
        yield True


PAUSES = 11
"""At least the calls of a process that replaces the generation, and of its answer to one that was quicker."""


async def test_a_process_that_lost_its_lock_does_not_set_the_generation_back() -> None:
    moments = list(product(range(PAUSES), range(5)))
    for first, second in combinations_with_replacement(moments, 2):
        world = World()
        await world.claim_store()
        acts = actions(world)
        known: list[str] = []

        def remembering(act: Act, world: World = world, known: list[str] = known) -> Act:
            async def remembered() -> None:
                known.append((await world.deployments.read()).generation)
                await act()
                known.append((await world.deployments.read()).generation)

            return remembered

        schedule: list[list[Act]] = [[] for _ in range(PAUSES)]
        for pause, number in (first, second):
            schedule[pause].append(remembering(acts[number]))
        pauses = Pauses(iter(schedule))
        late = replace(
            world.advance_generation,
            deployments=pauses.at(NotLocked(world.deployments)),
            storage=pauses.at(world.storage),
        )
        await late(always=True)
        present = await verified_deployment(world.deployments, world.storage)
        assert present.generation not in set(known) - set(known[-1:]), (first, second)
        await world.advance_generation(always=True)
        await world.claim_store()
