"""The background job that replaces the generation."""

import logging

import pytest

from app.jobs.generation import ADVANCE_EVERY, generation_advanced_regularly
from ports.system import Unavailable
from tests.app.pauses import Pauses
from tests.domain.world import World


async def test_the_generation_is_replaced_ten_seconds_after_a_change_and_at_a_shutdown() -> None:
    world = World()
    await world.claim_store()
    caller = await world.caller()
    pauses = Pauses(world.clock)
    marks = [await world.storage.read_mark()]
    async with generation_advanced_regularly(world.advance_generation, pauses):
        await world.record(caller)
        await pauses.turn()
        marks.append(await world.storage.read_mark())
        await world.record(caller)
    marks.append(await world.storage.read_mark())
    assert len(set(marks)) == 3
    assert set(pauses.lengths) == {ADVANCE_EVERY.total_seconds()}


async def test_an_outage_is_logged_once_and_delays_no_shutdown(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await world.claim_store()

    async def unavailable() -> str | None:
        raise Unavailable("the store is away")

    world.storage.read_mark = unavailable  # type: ignore[method-assign]
    pauses = Pauses(world.clock)
    async with generation_advanced_regularly(world.advance_generation, pauses):
        await pauses.turn(3)
    assert [(record.levelno, "away" in record.message) for record in caplog.records] == [
        (logging.ERROR, True),
        (logging.WARNING, True),
    ]
