"""One server for the whole room, and the application in memory for tests without a network."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from litestar.types import ASGIApp

from adapters.http.asgi import build
from app.wiring import Service
from domain.access import Permission
from domain.rate_limits import Plan, Window
from domain.use_cases import UseCases
from tests.acceptance.service import Server, running_server
from tests.acceptance.tenants import Tenants
from tests.memory import memory_ports

from .wire import Wire

PLANS = {plan: (Window(1000, 60),) for plan in Plan}


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def tenants(server: Server) -> Iterator[Tenants]:
    with closing(Tenants(server.base_url, server.cli)) as tenants:
        yield tenants


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    """A connection to the server."""
    with closing(Wire(server.base_url)) as wire:
        yield wire


@pytest.fixture(scope="module")
async def service() -> Service:
    """The service in memory."""
    ports = memory_ports()
    return Service(ports, UseCases.of(ports, PLANS))


@pytest.fixture(scope="module")
def app(service: Service) -> ASGIApp:
    return build(service.use_cases, service.ports)


@pytest.fixture(scope="module")
async def key(service: Service) -> str:
    """An API key with every permission."""
    workspace = await service.use_cases.create_workspace("Test", Plan.ORG, 10**9)
    minted = await service.use_cases.mint_api_key(workspace=workspace.id, name="Key", granted=list(Permission))
    return minted.secret
