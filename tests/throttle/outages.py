"""Every outage of a Valkey that the limiter must survive, and a relay that causes those of the network."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path

from tests.valkey import open_valkey

LATE_SECONDS = 0.025


class Fault(Enum):
    REFUSED = auto()
    """The port refuses connections, and the open ones are reset."""
    UNREACHABLE = auto()
    """All packets to the address are lost."""
    LATE = auto()
    """Responses are in time for a request, but not if it also waits for the call before."""
    CUT = auto()
    """The connection is reset after half of the response."""
    NONSENSE = auto()
    """The server responds in another protocol."""


class Relay:
    """Listens on a port of 127.0.0.1 for the Valkey behind a Unix socket, with faults that a test switches on."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._fault: Fault | None = None
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._blockers: list[socket.socket] = []
        self._port = 0
        self.held: asyncio.Event | None = None
        """If set, responses wait for this event."""
        self.received = asyncio.Event()
        """A request has arrived."""
        self.requests = 0

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self._port}"

    async def fail(self, fault: Fault) -> None:
        self._fault = fault
        if fault in (Fault.REFUSED, Fault.UNREACHABLE):
            await self.close()
        if fault is Fault.UNREACHABLE:
            # The kernel drops connections to a listener whose queue is full, as a firewall does.
            listener = socket.create_server(("127.0.0.1", self._port), backlog=0)
            callers = [socket.socket() for _ in range(3)]
            for caller in callers:
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.1", self._port))
            self._blockers = [*callers, listener]

    async def heal(self) -> None:
        self._fault = None
        for blocker in self._blockers:
            blocker.close()
        self._blockers = []
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
            self._port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and reset every connection."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        connections, self._connections = self._connections, set()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def _accept(self, client: asyncio.StreamReader, responses: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._forward(client, responses))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        # In a callback, because a task that is cancelled at once never runs.
        connection.add_done_callback(lambda _: responses.transport.abort())

    async def _forward(self, client: asyncio.StreamReader, responses: asyncio.StreamWriter) -> None:
        server, requests = await asyncio.open_unix_connection(self._target)
        try:
            while request := await client.read(2**16):
                self.received.set()
                self.requests += 1
                requests.write(request)
                response = await server.read(2**16)
                if self.held is not None:
                    await self.held.wait()
                match self._fault:
                    case Fault.LATE:
                        await asyncio.sleep(LATE_SECONDS)
                    case Fault.CUT:
                        responses.write(response[: len(response) // 2])
                        await responses.drain()
                        return
                    case Fault.NONSENSE:
                        response = b"HTTP/1.1 400 Bad Request\r\n\r\n"
                    case _:
                        pass
                responses.write(response)
        except ConnectionError:
            pass
        finally:
            requests.close()
            with suppress(ConnectionError):
                await requests.wait_closed()


@asynccontextmanager
async def open_relay(target: Path) -> AsyncIterator[Relay]:
    """Run a relay to the server at that socket for the `with` block."""
    relay = Relay(target)
    await relay.heal()
    try:
        yield relay
    finally:
        await relay.heal()
        await relay.close()


@dataclass(frozen=True, slots=True)
class Outage:
    """A server, and how its outage begins and ends."""

    url: str
    begin: Callable[[], Awaitable[object]]
    end: Callable[[], Awaitable[object]]
    loses_counts: bool = False


OUTAGES = (
    *(fault.name for fault in Fault if fault is not Fault.LATE),
    *("KILLED", "PAUSED", "READ_ONLY", "FULL", "PASSWORD_CHANGED"),
)


@asynccontextmanager
async def outage_named(name: str) -> AsyncIterator[Outage]:
    """Start a server of its own for the outage."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(open_valkey())
        run = partial(partial, server.run)

        async def change_password() -> None:
            await server.run("CONFIG", "SET", "requirepass", "other")
            await server.run("CLIENT", "KILL", "TYPE", "normal", password="other")

        match name:
            case "KILLED":
                yield Outage(server.url, server.kill, server.start, loses_counts=True)
            case "PAUSED":
                yield Outage(server.url, server.pause, server.resume)
            case "READ_ONLY":
                yield Outage(server.url, run("REPLICAOF", "127.0.0.1", "1"), run("REPLICAOF", "NO", "ONE"))
            case "FULL":
                yield Outage(server.url, run("CONFIG", "SET", "maxmemory", "1"), run("CONFIG", "SET", "maxmemory", "0"))
            case "PASSWORD_CHANGED":
                restore = run("CONFIG", "SET", "requirepass", "", password="other")
                yield Outage(server.url, change_password, restore)
            case _:
                relay = await stack.enter_async_context(open_relay(server.socket))
                yield Outage(relay.url, partial(relay.fail, Fault[name]), relay.heal)
