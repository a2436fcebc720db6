"""The whole service on the memory adapters, called over ASGI without a network."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from adapters.http.asgi import build
from adapters.system import new_secret
from app.backends import Backends
from app.container import memory_backends
from domain.access import Permission, Plan, Window, Workspace
from tests.clock import StillClock

URL = "http://testserver"


@dataclass
class Api:
    """A client with a key of a workspace of its own, and the backends behind it."""

    http: httpx.AsyncClient
    backends: Backends
    workspace: Workspace
    clock: StillClock

    async def key(self, *permissions: str) -> dict[str, str]:
        """The header of a new key."""
        granted = permissions or tuple(Permission)
        minted = await self.backends.mint_key(workspace=self.workspace.id, name=new_secret(), granted=granted)
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
    backends = memory_backends(clock, URL, {plan: (Window(1000, 60), Window(10_000, 86_400)) for plan in Plan})
    transport = httpx.ASGITransport(app=build(backends.services()))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
        workspace = await backends.create_workspace("Test", Plan.ORG, 10**9)
        api = Api(http, backends, workspace, clock)
        http.headers.update(await api.key())
        yield api
