"""Both clients behind one blocking interface, on the API in memory."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from dossier_client import AsyncClient, Client, Patience
from tests.acceptance.tenants import Tenants
from tests.client.network import AsyncNetwork, Network

EVERYTHING = ("read:documents", "write:documents", "admin:documents", "admin:api_keys")


@dataclass
class Deployment:
    """The client under test, the network that it uses, and the seconds that it has waited."""

    client: Any
    """A `Client`, or an `AsyncClient` whose methods are called from outside its event loop."""

    network: Network
    waits: list[float] = field(default_factory=list)


class _Blocking:
    """An `AsyncClient` whose methods block."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self._client, self._runner = client, runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        if name == "walk":
            return lambda **filters: self._runner.run(_gathered(method(**filters)))
        return lambda *args, **kwargs: self._runner.run(_awaited(method(*args, **kwargs)))


async def _awaited(work: Any) -> Any:
    return await work


async def _gathered(documents: Any) -> list[Any]:
    return [document async for document in documents]


@pytest.fixture(params=["Client", "AsyncClient"])
def deployment(request: pytest.FixtureRequest, memory_tenants: Tenants) -> Iterator[Deployment]:
    """A client with every permission in a new workspace. It waits without time passing."""
    assert memory_tenants.transport is not None
    api_key = memory_tenants.api_key(memory_tenants.workspace(), *EVERYTHING).key
    network = Network(memory_tenants.transport)
    waits: list[float] = []
    patience = Patience(jitter=lambda: 1.0)
    if request.param == "Client":
        with Client(
            memory_tenants.base_url, api_key, patience=patience, transport=network, sleep=waits.append
        ) as client:
            yield Deployment(client, network, waits)
        return

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    # The runner has an event loop of its own, because that of the session runs already.
    with asyncio.Runner() as runner:
        asynchronous = AsyncClient(
            memory_tenants.base_url, api_key, patience=patience, transport=AsyncNetwork(network), sleep=sleep
        )
        yield Deployment(_Blocking(asynchronous, runner), network, waits)
        runner.run(asynchronous.close())
