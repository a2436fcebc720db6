"""A fresh world for each test."""

import pytest
from hypothesis import settings

from tests.domain.world import World

# How long an example takes says more about the machine than about the code.
settings.register_profile("domain", deadline=None)
settings.load_profile("domain")


@pytest.fixture
def world() -> World:
    """A whole service with nothing in it."""
    return World()
