"""Places that owners take in turns."""

import asyncio
from contextlib import suppress
from random import Random

from adapters.postgres.turns import Turns


class Visits:
    """Calls of owners that keep their places until the test ends them. `inside` has those with a place, in order."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.inside: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def call(self, owner: str) -> asyncio.Event:
        """Let an owner call, and return the event that ends the call."""
        end = asyncio.Event()

        async def visit() -> None:
            async with self.turns.of(owner):
                self.inside.append(owner)
                await end.wait()

        self.tasks.append(asyncio.create_task(visit()))
        await passed()
        return end


async def passed() -> None:
    """Let all tasks do what they can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_owner_has_its_share_of_the_places_and_free_ones_go_to_the_others_in_turns() -> None:
    visits = Visits(Turns(places=3, each=2))
    ends = [await visits.call(owner) for owner in ["many"] * 6 + ["b", "c", "b"]]
    assert visits.inside == ["many", "many", "b"]
    ends[0].set()
    await passed()
    assert visits.inside[3:] == ["many"], "it called first"
    for end in ends[1:]:
        end.set()
        await passed()
    assert visits.inside[4:] == ["c", "b", "many", "many", "many"]


async def test_no_place_is_lost_or_taken_twice_however_calls_end() -> None:
    random, turns, inside = Random(0), Turns(places=3, each=2), [0]

    async def visit(owner: int) -> None:
        async with turns.of(owner):
            inside[0] += 1
            assert inside[0] <= 3
            try:
                await asyncio.sleep(random.choice([0, 0.001]))
            finally:
                inside[0] -= 1

    for _ in range(50):
        calls = [asyncio.create_task(visit(number % 4)) for number in range(20)]
        for call in random.sample(calls, 10):
            await asyncio.sleep(0)
            call.cancel()
        for call in calls:
            with suppress(asyncio.CancelledError):
                await call
    visits = Visits(turns)
    ends = [await visits.call(owner) for owner in "aaab"]
    assert visits.inside == ["a", "a", "b"]
    for end in ends:
        end.set()
    await asyncio.gather(*visits.tasks)
