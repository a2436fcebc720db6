"""The whole service on the memory adapters, called over ASGI without a network."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from adapters.http.asgi import build
from adapters.in_process.system import new_secret
from app.wiring import Service
from domain.access import Permission, Workspace
from domain.rate_limits import Plan, Plans, Window
from domain.use_cases import UseCases
from tests.clock import StillClock
from tests.memory import memory_ports

URL = "http://testserver"


PLANS: Plans = {plan: (Window(1000, 60), Window(10_000, 86_400)) for plan in Plan}


@dataclass
class Api:
    """A client with a key of a workspace of its own, and the service behind it."""

    http: httpx.AsyncClient
    service: Service
    workspace: Workspace
    clock: StillClock

    async def key(self, *permissions: str) -> dict[str, str]:
        """The header of a new key."""
        granted = permissions or tuple(Permission)
        minted = await self.service.use_cases.mint_api_key(
            workspace=self.workspace.id, name=new_secret(), granted=granted
        )
        return {"Authorization": f"Bearer {minted.secret}"}

    async def upload(self, content: bytes = b"content", name: str = "a.pdf") -> str:
        """The storage path of uploaded bytes."""
        answer = await self.http.post("/v1/documents/upload-url", json={"name": name, "mime_type": "application/pdf"})
        data = answer.json()["data"]
        stored = await self.http.put(data["upload_url"], headers=data["headers"], content=content)
        assert stored.status_code == 200, stored.text
        return str(data["storage_path"])

    async def record(self, headers: dict[str, str] | None = None, **members: Any) -> httpx.Response:
        """POST a document; what is not given is filled in."""
        if "storage_path" not in members:
            members["storage_path"] = await self.upload()
        body = {"name": "a.pdf", "mime_type": "application/pdf"} | members
        return await self.http.post("/v1/documents", json=body, headers=headers)

    async def recorded(self, **members: Any) -> dict[str, Any]:
        """The data of a new document."""
        answer = await self.record(**members)
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["data"])


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """The service, with a workspace that no limit stops."""
    clock = StillClock()
    ports = memory_ports(clock, URL)
    service = Service(ports, UseCases.of(ports, PLANS))
    transport = httpx.ASGITransport(app=build(service.use_cases, service.ports))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
        workspace = await service.use_cases.create_workspace("Test", Plan.ORG, 10**9)
        api = Api(http, service, workspace, clock)
        http.headers.update(await api.key())
        yield api
