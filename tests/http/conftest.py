"""The HTTP adapter on the ports in memory, for faults that a client cannot cause. tests/acceptance prove the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from adapters.http.asgi import build
from adapters.http.site import NOWHERE, Site
from adapters.in_process.system import new_secret
from app.wiring import Service
from domain.access import Permission, Workspace
from domain.rate_limits import Plan, Plans, Window
from domain.use_cases import UseCases
from ports import Ports
from tests.memory import memory_ports

URL = "http://testserver"


PLANS: Plans = {plan: (Window(1000, 60), Window(10_000, 86_400)) for plan in Plan}


@dataclass
class Api:
    """A client with an API key of a workspace of its own, and the service behind it."""

    http: httpx.AsyncClient
    service: Service
    workspace: Workspace

    async def key(self, *permissions: str) -> dict[str, str]:
        """Return the header of a new API key."""
        granted = permissions or tuple(Permission)
        minted = await self.service.use_cases.mint_api_key(
            workspace=self.workspace.id, name=new_secret(), granted=granted
        )
        return {"Authorization": f"Bearer {minted.secret}"}

    async def signed_upload(self, **members: object) -> dict[str, Any]:
        """Return the data of a new upload URL, by default for plain text of any size."""
        body = {"name": "a.txt", "mime_type": "text/plain", **members}
        return dict((await self.http.post("/v1/documents/upload-url", json=body)).json()["data"])

    async def uploaded(self) -> dict[str, Any]:
        """Upload bytes, and return the members that a document of them needs."""
        body = {"name": "a.pdf", "mime_type": "application/pdf"}
        signed = await self.signed_upload(**body)
        await self.http.put(signed["upload_url"], headers=signed["headers"], content=b"content")
        return body | {"storage_path": signed["storage_path"]}

    async def recorded(self) -> dict[str, Any]:
        """Upload bytes, record them, and return the data of the document."""
        answer = await self.http.post("/v1/documents", json=await self.uploaded())
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["data"])


def client_of(
    ports: Ports, headers: dict[str, str] | None = None, plans: Plans = PLANS, site: Site = NOWHERE
) -> httpx.AsyncClient:
    """Return a client of a new application on these ports. As with a server, a failure is a response of status 500."""
    app: Any = build(UseCases.of(ports, plans), ports, site)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=URL, headers=headers)


@pytest.fixture
async def document(api: Api) -> Any:
    """The OpenAPI document, as a client reads it."""
    return (await api.http.get("/openapi.json")).json()


@asynccontextmanager
async def open_api() -> AsyncIterator[Api]:
    """Open the service, with a workspace whose rate limit no test reaches."""
    ports = memory_ports(public_url=URL)
    service = Service(ports, UseCases.of(ports, PLANS))
    async with client_of(ports) as http:
        workspace = await service.use_cases.create_workspace("Test", Plan.ORG, 10**9)
        api = Api(http, service, workspace)
        http.headers.update(await api.key())
        yield api


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with open_api() as api:
        yield api
