"""A fresh world for each test."""

import pytest

from tests.domain.world import World


@pytest.fixture
def world() -> World:
    """A whole service with nothing in it."""
    return World()
