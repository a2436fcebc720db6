"""The writer on calls of a test."""

import pytest

from tests.postgres.calls import Rig, open_rig


@pytest.fixture
async def rig() -> Rig:
    """A writer, and the calls it makes."""
    return await open_rig()
