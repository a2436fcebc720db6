"""A connection to the real server, and the application in memory for tests without a network."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
from litestar.types import ASGIApp

from adapters.http.asgi import build
from tests.acceptance.service import Server
from tests.http.conftest import Api, open_api

from .wire import Wire


@pytest.fixture
def wire(own_server: Server) -> Iterator[Wire]:
    """A connection to the server."""
    with closing(Wire(own_server.base_url)) as wire:
        yield wire


@pytest.fixture(scope="module")
async def api() -> AsyncIterator[Api]:
    """The service in memory."""
    async with open_api() as api:
        yield api


@pytest.fixture(scope="module")
def app(api: Api) -> ASGIApp:
    return build(api.service.use_cases, api.service.ports)
