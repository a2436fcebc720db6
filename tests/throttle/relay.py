"""Between a limiter and its Valkey: forwards, until it is told to fail."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from pathlib import Path

SLOW_SECONDS = 0.3
LATE_SECONDS = 0.025


class Fault(Enum):
    """What becomes of every answer, or of every connection."""

    REFUSED = "nobody listens, and what was connected is reset"
    UNREACHABLE = "what is sent to the address is lost, also what would connect"
    SILENT = "connections stand, and nothing that is asked arrives"
    SLOW = "answers take longer than a request may wait"
    LATE = "answers take as long as a request may wait, but not if it waits for another one before"
    CUT = "half of the answer comes, then the connection is reset"
    ENDED = "the connection ends instead of the answer"
    NONSENSE = "what comes is no answer"


class Relay:
    """Listens on a port of 127.0.0.1 for the Valkey behind a Unix socket."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._fault: Fault | None = None
        self._listener: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._callers: list[socket.socket] = []
        self._full: socket.socket | None = None
        self._port = 0
        self.held: asyncio.Event | None = None
        """While there is one, answers wait for it."""
        self.asked = asyncio.Event()
        """Something has come that is to be answered."""

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self._port}"

    async def fail(self, fault: Fault) -> None:
        """Fail from now on."""
        self._fault = fault
        if fault in (Fault.REFUSED, Fault.UNREACHABLE):
            await self.close()
        if fault is Fault.UNREACHABLE:
            # A listener with no room for one more: the kernel drops what would connect, as a firewall does.
            self._full = socket.socket()
            self._full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._full.bind(("127.0.0.1", self._port))
            self._full.listen(0)
            for _ in range(3):
                caller = socket.socket()
                caller.setblocking(False)
                self._callers.append(caller)
                with suppress(BlockingIOError):
                    caller.connect(("127.0.0.1", self._port))

    async def heal(self) -> None:
        """Forward again."""
        self._fault = None
        for one in (*self._callers, self._full):
            if one is not None:
                one.close()
        self._callers, self._full = [], None
        if self._listener is None:
            await self.listen()

    async def listen(self) -> None:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and reset every connection."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        links, self._links = self._links, set()
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    def _accept(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        link = asyncio.create_task(self._forward(client, answers))
        self._links.add(link)
        link.add_done_callback(self._links.discard)
        # Not in the task: one that is cancelled at once never begins.
        link.add_done_callback(lambda _: answers.transport.abort())

    async def _forward(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, requests = await asyncio.open_unix_connection(self._target)
        try:
            while asked := await client.read(2**16):
                if self._fault is Fault.SILENT:
                    continue
                self.asked.set()
                requests.write(asked)
                answer = await server.read(2**16)
                if self.held is not None:
                    await self.held.wait()
                match self._fault:
                    case Fault.SLOW:
                        await asyncio.sleep(SLOW_SECONDS)
                    case Fault.LATE:
                        await asyncio.sleep(LATE_SECONDS)
                    case Fault.CUT:
                        answers.write(answer[: len(answer) // 2])
                        await answers.drain()
                        return
                    case Fault.ENDED:
                        answers.write_eof()
                        return
                    case Fault.NONSENSE:
                        answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
                    case _:
                        pass
                answers.write(answer)
        except ConnectionError:
            pass
        finally:
            requests.close()
            with suppress(ConnectionError):
                await requests.wait_closed()


@asynccontextmanager
async def open_relay(target: Path) -> AsyncIterator[Relay]:
    """A relay to the server at that socket, for as long as the block lasts."""
    relay = Relay(target)
    await relay.listen()
    try:
        yield relay
    finally:
        await relay.heal()
        await relay.close()
