"""The HTTP API on the ports in memory, called without a network: `--transport=memory` of the acceptance tests."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from litestar.types import ASGIApp

from adapters.http.asgi import build
from adapters.in_process.deletions import QueuedDeletions
from app.cli.tenants import Quota
from app.settings import Settings
from app.wiring import Service
from domain.ids import ApiKeyId
from domain.rate_limits import Plan, Tier
from domain.use_cases import UseCases
from tests.acceptance.service import ApiKey
from tests.acceptance.tenants import Tenants
from tests.memory import memory_ports

URL = "http://testserver"

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread of its own, so that synchronous tests can call what is asynchronous."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="memory transport", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` as a task of the loop and return its result. Any number of threads may call this at once."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class MemoryTransport(httpx.BaseTransport):
    """A synchronous transport that hands each request to an ASGI application as a whole."""

    def __init__(self, app: ASGIApp, loop: LoopThread) -> None:
        # As with a real server, an exception in the application becomes a 500, and does not reach the client.
        self._asgi = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(request.read())
        return self._loop.run(
            self._answer(httpx.Request(request.method, request.url, headers=request.headers, stream=stream))
        )

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._asgi.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(await answer.aread()))


class MemoryOperator:
    """An `Operator` who calls the use cases that the command line calls."""

    def __init__(self, service: Service, loop: LoopThread) -> None:
        self._service, self._loop = service, loop

    def create_workspace(self, plan: str, quota: str) -> str:
        create = self._service.use_cases.create_workspace
        return self._loop.run(create(f"w-{uuid4()}", Plan(plan), _bytes(quota))).id

    def set_quota(self, workspace: str, quota: str) -> None:
        update = self._service.use_cases.update_workspace
        self._loop.run(update(workspace, plan=None, quota_bytes=_bytes(quota)))

    def create_api_key(self, workspace: str, permissions: Sequence[str], tier: str) -> ApiKey:
        minted = self._loop.run(
            self._service.use_cases.mint_api_key(
                workspace=workspace,
                name=f"k-{uuid4()}",
                granted=permissions,
                tier=Tier(tier),
            )
        )
        return ApiKey(minted.key.id, minted.secret)

    def revoke_api_key(self, api_key_id: str) -> None:
        self._loop.run(self._revoke(ApiKeyId(api_key_id)))

    async def _revoke(self, api_key_id: ApiKeyId) -> None:
        api_keys = self._service.ports.api_keys
        key = await api_keys.get(api_key_id)
        assert key is not None
        # Without an intent, as for an operator: the last API key with admin:api_keys can be revoked too.
        await api_keys.revoke(key.workspace_id, key.id, self._service.ports.now(), None)


@contextmanager
def open_memory_tenants() -> Iterator[Tenants]:
    """Yield the tenants of a new service in memory, with the settings of an empty environment."""
    loop = LoopThread()
    ports = memory_ports(public_url=URL)
    service = Service(ports, UseCases.of(ports, Settings.read({}).plans))
    tenants = Tenants(URL, MemoryOperator(service, loop), MemoryTransport(build(service.use_cases, ports), loop))
    assert isinstance(ports.deletions, QueuedDeletions)
    performed = ports.deletions.performed()
    loop.run(performed.__aenter__())
    try:
        yield tenants
    finally:
        tenants.close()
        loop.run(performed.__aexit__(None, None, None))
        loop.close()


def _bytes(quota: str) -> int:
    return int(Quota().convert(quota, None, None))
