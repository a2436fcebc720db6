"""A deployment opens the backends of its settings, works, and closes them again."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.types import ASGIApp

from app.doctor import check_deployment
from app.main import create_app
from app.server.workers import held_open
from app.settings import Settings
from app.wiring import NotMigrated, open_service
from domain.access import Permission
from domain.rate_limits import Plan
from ports.checks import Grade
from tests.domain.world import Instead, World

URL = "http://testserver"


def settings(tmp_path: Path, **more: str) -> Settings:
    return Settings.read(
        {"DOSSIER_DATA_DIR": str(tmp_path), "DOSSIER_PUBLIC_URL": URL}
        | {f"DOSSIER_{name.upper()}": value for name, value in more.items()}
    )


async def test_an_unmigrated_database_is_refused_with_the_remedy(tmp_path: Path, empty_database_url: str) -> None:
    with pytest.raises(NotMigrated, match="dossier migrate"):
        async with open_service(settings(tmp_path, database_url=empty_database_url)):
            pass


async def test_an_application_works_with_its_settings_and_has_written_the_uses_of_api_keys_when_it_stops(
    tmp_path: Path, own_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The application tunes the garbage collector of its process. The process of the tests must not keep that tuning.
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    files = tmp_path / "my files"
    configured = settings(tmp_path, database_url=own_database_url, storage_url=files.as_uri(), secret="s" * 32)
    async with open_service(configured) as service:
        workspace = await service.use_cases.create_workspace("Acme", Plan.ORG, 1000)
        minted = await service.use_cases.mint_api_key(workspace=workspace.id, name="k", granted=list(Permission))
        async with running(create_app(configured)) as http:
            http.headers["Authorization"] = f"Bearer {minted.secret}"
            await upload_and_read_back(http)
            ready = (await http.get("/health/ready")).json()["data"]
            checks = {"database": "ok", "storage": "ok", "disk space": "ok"}
            assert ready == {"status": "ready", "checks": checks}
        (key,) = await service.ports.api_keys.all(workspace.id)
        assert key.last_used_at is not None
    assert any(files.rglob("a.txt"))
    assert not (tmp_path / "secret").exists()


async def upload_and_read_back(http: httpx.AsyncClient) -> None:
    members = {"name": "a.txt", "mime_type": "text/plain"}
    data = (await http.post("/v1/documents/upload-url", json=members)).json()["data"]
    put = await http.put(data["upload_url"], headers=data["headers"], content=b"content")
    assert put.status_code == 200, put.text
    recorded = await http.post("/v1/documents", json=members | {"storage_path": data["storage_path"]})
    assert recorded.status_code == 201, recorded.text
    found = await http.get(recorded.headers["Location"])
    assert (await http.get(found.json()["data"]["download_url"])).content == b"content"


@asynccontextmanager
async def running(application: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """Start the application as a server does, yield a client of it, and stop it."""
    to_it: asyncio.Queue[Any] = asyncio.Queue()
    from_it: asyncio.Queue[Any] = asyncio.Queue()
    called: Any = application
    live = asyncio.create_task(called({"type": "lifespan"}, to_it.get, from_it.put))
    await to_it.put({"type": "lifespan.startup"})
    assert await from_it.get() == {"type": "lifespan.startup.complete"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=called), base_url=URL) as http:
        yield http
    await to_it.put({"type": "lifespan.shutdown"})
    assert await from_it.get() == {"type": "lifespan.shutdown.complete"}
    await live


@asynccontextmanager
async def noted(events: list[str], error: Exception | None = None) -> AsyncIterator[threading.Event]:
    """Yield an event that is set if the event loop runs during the context. Note the end of the context."""
    if error:
        raise error
    looped = threading.Event()
    asyncio.get_running_loop().call_later(0.01, looped.set)
    yield looped
    events.append("closed")


def test_a_held_context_runs_in_another_thread_and_is_closed_even_if_the_block_fails() -> None:
    events: list[str] = []
    with held_open(noted(events)) as looped:
        assert looped.wait(5)
        assert events == []
    with pytest.raises(KeyboardInterrupt), held_open(noted(events)):
        raise KeyboardInterrupt
    assert events == ["closed"] * 2


def test_a_held_context_that_cannot_open_raises_its_reason() -> None:
    with pytest.raises(OSError, match="no room"), held_open(noted([], OSError("no room"))):
        raise AssertionError("it is not open")


async def test_a_sweep_between_two_reads_of_doctor_does_not_fail_its_check() -> None:
    world = World()
    await world.claim_store()

    async def read_mark_after_a_sweep() -> str | None:
        await world.sweep.without_listing()
        return await world.storage.read_mark()

    before = (await world.deployments.read()).generation
    storage: Any = Instead(world.storage, read_mark=read_mark_after_a_sweep)
    result = await check_deployment(storage, world.deployments)
    assert result.grade is Grade.OK, result.found
    assert (await world.deployments.read()).generation != before
