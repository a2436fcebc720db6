"""A deployment opens the backends of its settings, works, and closes them again."""

import asyncio
import gc
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from litestar.types import ASGIApp

from adapters.http.asgi import build
from adapters.postgres.database import open_database
from adapters.postgres.migrate import migrate
from app.main import create_app
from app.settings import Settings
from app.wiring import NotMigrated, open_service
from domain.access import Permission
from domain.rate_limits import Plan

URL = "http://testserver"


def settings(tmp_path: Path, **more: str) -> Settings:
    return Settings.read(
        {"DOSSIER_DATA_DIR": str(tmp_path), "DOSSIER_PUBLIC_URL": URL}
        | {f"DOSSIER_{name.upper()}": value for name, value in more.items()}
    )


async def upload_and_read_back(configured: Settings) -> None:
    async with open_service(configured) as service:
        await service.ports.storage.prepare()
        workspace = await service.use_cases.create_workspace("Acme", Plan.ORG, 1000)
        minted = await service.use_cases.mint_api_key(workspace=workspace.id, name="k", granted=list(Permission))
        transport = httpx.ASGITransport(app=build(service.use_cases, service.ports))  # type: ignore[arg-type]
        headers = {"Authorization": f"Bearer {minted.secret}"}
        async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as http:
            members = {"name": "a.txt", "mime_type": "text/plain"}
            data = (await http.post("/v1/documents/upload-url", json=members)).json()["data"]
            put = await http.put(data["upload_url"], headers=data["headers"], content=b"content")
            assert put.status_code == 200, put.text
            members["storage_path"] = data["storage_path"]
            recorded = await http.post("/v1/documents", json=members)
            assert recorded.status_code == 201, recorded.text
            found = await http.get(recorded.headers["Location"])
            assert (await http.get(found.json()["data"]["download_url"])).content == b"content"
            ready = (await http.get("/health/ready")).json()["data"]
            assert ready == {"status": "ready", "checks": {"database": "ok", "storage": "ok"}}


async def test_an_external_database_and_the_default_storage(tmp_path: Path, database_url: str) -> None:
    await upload_and_read_back(settings(tmp_path, database_url=database_url))


async def test_an_external_database_and_a_configured_storage(tmp_path: Path, database_url: str) -> None:
    files = tmp_path / "my files"
    await upload_and_read_back(
        settings(tmp_path, database_url=database_url, storage_url=files.as_uri(), secret="s" * 32)
    )
    assert any(files.rglob("a.txt"))
    assert not (tmp_path / "secret").exists()


@pytest.mark.slow
async def test_the_embedded_database_keeps_its_documents_after_a_restart(tmp_path: Path) -> None:
    await upload_and_read_back(settings(tmp_path))
    async with open_service(settings(tmp_path)) as service:
        (workspace,) = await service.ports.workspaces.all()
        assert (await service.ports.documents.usage(workspace.id)).documents == 1


async def test_the_secret_is_created_once_and_readable_only_by_its_user(tmp_path: Path, database_url: str) -> None:
    configured = settings(tmp_path, database_url=database_url)
    async with open_service(configured), open_service(configured):
        file = tmp_path / "secret"
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
        assert len(file.read_text()) == 64
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith("secret")] == ["secret"]


async def test_an_unmigrated_external_database_is_refused_with_the_command_to_run(
    tmp_path: Path, database_url: str
) -> None:
    async with open_database(database_url) as database:
        await database.fetch("CREATE DATABASE unmigrated")
    url = database_url.replace("/postgres?", "/unmigrated?")
    with pytest.raises(NotMigrated, match="dossier migrate"):
        async with open_service(settings(tmp_path, database_url=url)):
            pass


async def test_an_application_that_stops_has_written_the_uses_of_api_keys(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What it does to the collector is for the life of a process, and this process goes on.
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    async with open_database(database_url) as database:
        await database.fetch("CREATE DATABASE uses")
    url = database_url.replace("/postgres?", "/uses?")
    await migrate(url)
    configured = settings(tmp_path, database_url=url)
    async with open_service(configured) as service:
        workspace = await service.use_cases.create_workspace("Acme", Plan.ORG, 1000)
        minted = await service.use_cases.mint_api_key(workspace=workspace.id, name="k", granted=list(Permission))
        assert minted.key.last_used_at is None
        async with running(create_app(configured)) as application:
            transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]
            headers = {"Authorization": f"Bearer {minted.secret}"}
            async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as http:
                assert (await http.get("/v1/nowhere")).status_code == 404
        (key,) = await service.ports.api_keys.all(workspace.id)
        assert key.last_used_at is not None


@asynccontextmanager
async def running(application: ASGIApp) -> AsyncIterator[ASGIApp]:
    """The application between start-up and shutdown, as a server sees to it."""
    to_it: asyncio.Queue[Any] = asyncio.Queue()
    from_it: asyncio.Queue[Any] = asyncio.Queue()
    scope: Any = {"type": "lifespan"}
    live = asyncio.create_task(cast("Any", application(scope, to_it.get, from_it.put)))
    await to_it.put({"type": "lifespan.startup"})
    assert await from_it.get() == {"type": "lifespan.startup.complete"}
    try:
        yield application
    finally:
        await to_it.put({"type": "lifespan.shutdown"})
        assert await from_it.get() == {"type": "lifespan.shutdown.complete"}
        await live
