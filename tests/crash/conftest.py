"""One Postgres with full durability, for every test that does not kill it."""

from collections.abc import AsyncIterator

import pytest

from .deployment import Deployment, open_deployment


@pytest.fixture(scope="session")
async def deployment() -> AsyncIterator[Deployment]:
    async with open_deployment() as opened:
        yield opened
