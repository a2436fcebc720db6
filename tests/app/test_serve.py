"""The parts of `dossier serve`: its checks, the held database, and how connections end."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from adapters.postgres.database import open_database
from adapters.postgres.migrate import migrate
from app.main import create_app
from app.server import draining
from app.server.draining import DrainingProtocol
from app.server.workers import check_workers, held_open
from app.settings import Settings, SettingsError

from .test_wiring import running, settings

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


def test_several_workers_need_a_shared_rate_limiter() -> None:
    alone = Settings.read({})
    check_workers(alone)
    with pytest.raises(SettingsError, match=r"DOSSIER_RATE_LIMIT_URL .* 3 workers .* valkey://"):
        check_workers(replace(alone, workers=3))
    check_workers(replace(alone, workers=3, rate_limit_url="valkey://127.0.0.1"))


@pytest.mark.parametrize("prepared", [False, True])
async def test_an_application_prepares_its_store_unless_it_is_already_prepared(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, prepared: bool
) -> None:
    # What it does to the collector is for the life of a process, and this process goes on.
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    name = f"prepared_{prepared}".lower()
    async with open_database(database_url) as database:
        await database.fetch(f"CREATE DATABASE {name}")
    url = database_url.replace("/postgres?", f"/{name}?")
    await migrate(url)
    async with running(create_app(settings(tmp_path, database_url=url), prepared=prepared)):
        pass
    assert (tmp_path / "files").exists() is not prepared


class Held:
    """Notes where it was opened, and whether it was closed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.thread: threading.Thread | None = None
        self.goes_on = threading.Event()
        self.closed = False

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        if self.error:
            raise self.error
        self.thread = threading.current_thread()
        ticking = asyncio.create_task(self.tick())
        yield "value"
        ticking.cancel()
        self.closed = True

    async def tick(self) -> None:
        while True:
            self.goes_on.set()
            await asyncio.sleep(0)


def test_a_held_context_runs_in_another_thread_until_the_end_of_the_block() -> None:
    held = Held()
    with held_open(held.opened()) as value:
        assert value == "value"
        assert held.thread is not threading.current_thread()
        for _ in range(10):
            held.goes_on.clear()
            assert held.goes_on.wait(5)
        assert not held.closed
    assert held.closed


def test_a_held_context_is_closed_if_the_block_fails() -> None:
    held = Held()
    with pytest.raises(KeyboardInterrupt), held_open(held.opened()):
        raise KeyboardInterrupt
    assert held.closed


def test_a_context_that_cannot_open_raises_its_reason() -> None:
    with pytest.raises(OSError, match="no room"), held_open(Held(OSError("no room")).opened()):
        raise AssertionError("it is not open")


@asynccontextmanager
async def connected(on: list[DrainingProtocol]) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that a server has accepted; its protocol is put into the list."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    config = uvicorn.Config(app, http=DrainingProtocol, lifespan="off", log_config=None)
    config.load()
    accepted = asyncio.Event()

    def accept() -> DrainingProtocol:
        on.append(DrainingProtocol(config, uvicorn.server.ServerState(), {}))
        accepted.set()
        return on[-1]

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await accepted.wait()
    await asyncio.sleep(0)
    yield reader, writer
    writer.close()
    server.close()
    await server.wait_closed()


async def test_a_connection_accepted_before_a_shutdown_is_answered_and_closed() -> None:
    protocols: list[DrainingProtocol] = []
    async with connected(protocols) as (reader, writer):
        protocols[0].shutdown()
        writer.write(REQUEST)
        answer = await reader.read()
        assert b"\r\nconnection: close\r\n" in answer
        assert answer.endswith(b"\r\n\r\nok")


async def test_a_silent_connection_does_not_delay_a_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "FIRST_REQUEST_SECONDS", 0.01)
    protocols: list[DrainingProtocol] = []
    async with connected(protocols) as (reader, _):
        protocols[0].shutdown()
        assert await reader.read() == b""


async def test_an_idle_connection_is_closed_at_once_in_a_shutdown() -> None:
    protocols: list[DrainingProtocol] = []
    async with connected(protocols) as (reader, writer):
        writer.write(REQUEST)
        assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")
        protocols[0].shutdown()
        assert protocols[0].transport.is_closing()
