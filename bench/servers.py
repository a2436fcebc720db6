"""Servers over HTTP: Dossier and whom it is compared with, each one process on a port of 127.0.0.1."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.crowd import request

REPOSITORY = Path(__file__).parents[1]
START_SECONDS = 30
STOP_SECONDS = 20

# What app/serve.py sets, as options of uvicorn's command line.
_UVICORN = (
    *("-m", "uvicorn", "--host", "127.0.0.1", "--loop", "uvloop", "--http", "httptools", "--ws", "none"),
    *("--workers", "1", "--backlog", "2048", "--no-access-log", "--no-server-header", "--no-proxy-headers"),
    *("--log-level", "warning", "--timeout-graceful-shutdown", "10"),
)


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers at `url`, and writes what goes wrong to `log`."""

    url: str
    pid: int
    log: Path


def dossier(port: int, workers: int = 1) -> list[str]:
    """The words that start Dossier."""
    several = ("--workers", str(workers)) if workers > 1 else ()
    return [sys.executable, "-m", "app.cli", "serve", "--host", "127.0.0.1", "--port", str(port), *several]


def unguarded(port: int) -> list[str]:
    """The words that start Dossier without admission."""
    return [sys.executable, "-m", "bench.admission.unguarded", str(port)]


def floor(port: int) -> list[str]:
    """The words that start the bare handler."""
    return [sys.executable, "-m", "bench.floor", str(port)]


def peer(port: int) -> list[str]:
    """The words that start the FastAPI service."""
    return [sys.executable, *_UVICORN, "--port", str(port), "bench.peers.fastapi_service:app"]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process' environment with these settings, and none of Dossier's own besides."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DOSSIER_")} | dict(settings)


@asynccontextmanager
async def running(name: str, port: int, command: list[str], settings: Mapping[str, str]) -> AsyncIterator[Server]:
    """A server that answers, until the end of the block; its log goes to a file beside the data, `<name>.log`."""
    log = Path(settings["DOSSIER_DATA_DIR"]) / f"{name}.log"
    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=REPOSITORY,
            env=environment(settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            # Of its own, so that Ctrl-C is ours to pass on.
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    try:
        server = Server(f"http://127.0.0.1:{port}", process.pid, log)
        await _answers(server, process)
        yield server
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def said(server: Server) -> str:
    """The end of its log."""
    return server.log.read_text(errors="replace")[-2000:]


async def _answers(server: Server, process: asyncio.subprocess.Process) -> None:
    """Return once it answers anything, be it 404."""
    for _ in range(START_SECONDS * 20):
        if process.returncode is not None:
            break
        try:
            await asyncio.to_thread(request, server.url, "GET", "/health/ready", b"", {})
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{server.log.stem} does not start:\n{said(server)}")
