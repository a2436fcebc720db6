"""A connection without a network: a transport that records what the server sends, and a clock that tests advance."""

import asyncio
import json
from collections import deque
from typing import Any

import uvicorn
from litestar.types import ASGIApp
from uvicorn.server import ServerState

from app.server import protocol as protocol_module
from app.server.connections import Connections
from app.server.protocol import Protocol
from tests.acceptance.raw import Answer, read_head


class Transport(asyncio.Transport):
    """The transport of a connection. It delivers the bytes of the client in order, and holds them while reading is
    paused."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.receiver: Protocol
        self.sent = b""
        self.writes = 0
        self.unsent_bytes = 0
        self.has_sent_eof = self.is_aborted = self.is_closed = self.is_paused = False
        # Whether the client reads nothing more.
        self.is_stalled = False
        self._incoming: deque[bytes] = deque()

    def deliver(self, data: bytes, size: int | None = None) -> None:
        """Let the client send data, in pieces of `size`."""
        step = size or max(1, len(data))
        self._incoming.extend(data[start : start + step] for start in range(0, len(data), step))
        self._flush()

    def _flush(self) -> None:
        while self._incoming and not self.is_paused and not self.is_closed:
            self.receiver.data_received(self._incoming.popleft())

    def write(self, data: Any) -> None:
        assert not self.has_sent_eof
        self.writes += 1
        if not self.is_closed:
            self.sent += bytes(data)
        if self.is_stalled:
            self.receiver.pause_writing()

    def write_eof(self) -> None:
        self.has_sent_eof = True

    def pause_reading(self) -> None:
        assert not self.is_paused
        self.is_paused = True

    def resume_reading(self) -> None:
        assert self.is_paused
        self.is_paused = False
        asyncio.get_running_loop().call_soon(self._flush)

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            asyncio.get_running_loop().call_soon(self.receiver.connection_lost, None)

    def abort(self) -> None:
        self.is_aborted = True
        self.close()


class Server:
    """A server in this process, without sockets. Tests simulate its connections."""

    def __init__(
        self, app: ASGIApp, *, limit: int = 100, unsent_max: int = 2**30, protocol: type[Protocol] = Protocol
    ) -> None:
        self.config = uvicorn.Config(app, http=protocol, lifespan="off", log_config=None, timeout_keep_alive=75)
        self.config.load()
        self.state = ServerState()
        self.connections = Connections(limit, unsent_max)
        protocol_module._connections_of[self.state] = self.connections
        self._protocol = protocol

    def new_protocol(self) -> Protocol:
        return self._protocol(self.config, self.state, {})

    def connect(self) -> "Driven":
        return Driven(self.new_protocol())

    async def pass_time(self, seconds: float) -> None:
        """Move the clock of the connections, and let them act."""
        for _ in range(int(seconds)):
            self.connections.advance(1)
            await settle()


class Driven:
    """One connection and its client."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.transport = Transport()
        self.transport.receiver = protocol
        protocol.connection_made(self.transport)

    async def send(self, data: bytes, size: int | None = None) -> None:
        self.transport.deliver(data, size)
        await settle()

    def waits(self, unsent_bytes: int) -> None:
        """Let these bytes of a response wait for the client."""
        self.transport.unsent_bytes = unsent_bytes
        self.protocol.pause_writing()

    @property
    def is_open(self) -> bool:
        return not self.transport.is_closed and not self.transport.has_sent_eof

    def responses(self) -> list[Answer]:
        """Return what was sent since the last call, as responses."""
        rest, found = self.transport.sent, []
        self.transport.sent = b""
        while rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            status, headers = read_head(head)
            length = int(headers.get("content-length", "0"))
            found.append(Answer(status, headers, rest[:length]))
            rest = rest[length:]
        return found

    def statuses(self) -> list[int]:
        return [response.status for response in self.responses()]


async def settle() -> None:
    """Let the event loop run everything that waits for nothing else."""
    for _ in range(100):
        await asyncio.sleep(0)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the method, the path, the headers and the body of the request."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    refused = type(scope["dossier.refused"]).__name__ if "dossier.refused" in scope else ""
    seen = {"method": scope["method"], "path": scope["path"], "headers": headers, "body": body.decode("latin-1")}
    content = json.dumps(seen | {"refused": refused}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(content))]})
    await send({"type": "http.response.body", "body": content})
