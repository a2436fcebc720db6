"""The HTTP servers of the benchmark: Dossier and its contenders, each one process on a port of 127.0.0.1."""

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

# The options of app/server/serve.py, as options of uvicorn's command line.
_UVICORN = (
    *("-m", "uvicorn", "--host", "127.0.0.1", "--loop", "uvloop", "--http", "httptools", "--ws", "none"),
    *("--workers", "1", "--backlog", "2048", "--no-access-log", "--no-server-header", "--no-proxy-headers"),
    *("--log-level", "warning", "--timeout-graceful-shutdown", "10"),
)


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers at `url` and logs to `log`."""

    url: str
    pid: int
    log: Path


def dossier(port: int, workers: int = 1) -> list[str]:
    """Return the command of Dossier."""
    several = ("--workers", str(workers)) if workers > 1 else ()
    return [sys.executable, "-m", "app.cli", "serve", "--host", "127.0.0.1", "--port", str(port), *several]


def unguarded(port: int) -> list[str]:
    """Return the command of Dossier without admission."""
    return [sys.executable, "-m", "bench.admission.unguarded", str(port)]


def floor(port: int) -> list[str]:
    """Return the command of the bare handler."""
    return [sys.executable, "-m", "bench.floor", str(port)]


def peer(port: int) -> list[str]:
    """Return the command of the FastAPI service."""
    return [sys.executable, *_UVICORN, "--port", str(port), "bench.peers.fastapi_service:app"]


def lean(port: int) -> list[str]:
    """Return the command of the lean FastAPI service."""
    return [sys.executable, *_UVICORN, "--port", str(port), "bench.peers.lean_service:app"]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process' environment with these settings instead of any `DOSSIER_` variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DOSSIER_")} | dict(settings)


@asynccontextmanager
async def running(
    name: str, port: int, command: list[str], settings: Mapping[str, str], checkout: Path = REPOSITORY
) -> AsyncIterator[Server]:
    """Run a server until the end of the block, with its log in `<name>.log` beside the data. Yield once it answers.

    `checkout`: where Python finds the modules of the command.
    """
    log = Path(settings["DOSSIER_DATA_DIR"]) / f"{name}.log"
    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=checkout,
            env=environment(settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            # In a process group of its own, so that Ctrl-C reaches it only through this process.
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


async def run_once(command: list[str], settings: Mapping[str, str], checkout: Path) -> None:
    """Run a command of a checkout to its end.

    Raises:
        RuntimeError: it failed.
    """
    process = await asyncio.create_subprocess_exec(
        *command, cwd=checkout, env=environment(settings), stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait() != 0:
        raise RuntimeError(f"{' '.join(command)} in {checkout} failed")


def free_port() -> int:
    """Return a port on which no process listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def log_tail(server: Server) -> str:
    """Return the end of the server's log."""
    return server.log.read_text(errors="replace")[-2000:]


async def _answers(server: Server, process: asyncio.subprocess.Process) -> None:
    """Return once the server answers any request with any status."""
    for _ in range(START_SECONDS * 20):
        if process.returncode is not None:
            break
        try:
            await asyncio.to_thread(request, server.url, "GET", "/health/ready", b"", {})
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{server.log.stem} did not start:\n{log_tail(server)}")
