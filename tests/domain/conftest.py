"""The service under test of each test, and a caller of it. See `World`."""

import pytest

from domain.access import Caller
from tests.domain.world import World


@pytest.fixture
def world() -> World:
    """A complete service in memory, without data."""
    return World()


@pytest.fixture
async def caller(world: World) -> Caller:
    """A caller with every permission, in a workspace with a quota of 1,000 bytes."""
    return await world.caller()


@pytest.fixture
async def claimed(world: World) -> World:
    """A complete service in memory whose database has claimed its store, so that it may sweep."""
    await world.claim_store()
    return world
