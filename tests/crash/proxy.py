"""A proxy between a server and Postgres that loses messages at a known moment.

It parses the protocol (version 3, https://www.postgresql.org/docs/current/protocol.html) far enough to know which
messages belong to a write. A write is one statement and one transaction: it is committed before ReadyForQuery.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

WRITE = b"record_documents"
"""Part of the text of every statement that records documents."""

LEAVE_SECONDS = 0.1
"""Seconds from Postgres' last message to the end of the connection."""

_REASON = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
_LEAVE = b"E" + (len(_REASON) + 4).to_bytes(4) + _REASON


class Fault(Enum):
    """A fault that the proxy causes in a write."""

    ANSWER_CUT = "the write is committed, and the connection breaks before the answer"
    REQUEST_CUT = "the connection breaks before Postgres receives the write"
    ANSWER_SILENT = "the write is committed, and the answer is lost; the connection stays open"
    REQUEST_SILENT = "Postgres never receives the write; the connection stays open"
    LEAVE = "the write is committed and answered, then Postgres ends the connection, as in a shutdown"

    @property
    def reaches_postgres(self) -> bool:
        return self not in (Fault.REQUEST_CUT, Fault.REQUEST_SILENT)

    @property
    def ends(self) -> bool:
        """Whether the connection ends."""
        return self not in (Fault.ANSWER_SILENT, Fault.REQUEST_SILENT)


class Proxy:
    """Listens on 127.0.0.1 and forwards to the Unix socket of Postgres."""

    def __init__(self, target: Path) -> None:
        self.url = ""
        self.plan: deque[Fault | None] = deque()
        """The faults of the next writes, in order. `None`, and an empty plan, mean no fault."""
        self.struck: asyncio.Queue[Fault] = asyncio.Queue()
        """Faults that have happened. A write that should be committed is committed by then."""
        self._target = target
        self._links: set[asyncio.Task[None]] = set()

    def accept(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        link = asyncio.create_task(self._serve(client, answers))
        self._links.add(link)
        # A task that is cancelled before it begins runs no `finally`, so close the stream here.
        link.add_done_callback(lambda _: answers.close())

    async def disconnect(self) -> None:
        """Break every connection."""
        # New connections may be opened meanwhile; they stay.
        links, self._links = self._links, set()
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, requests = await asyncio.open_unix_connection(self._target)
        link = _Link(self, client, answers, server, requests)
        ways = [asyncio.create_task(link.forward_requests()), asyncio.create_task(link.forward_answers())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            requests.close()
            await asyncio.gather(*ways, return_exceptions=True)


@dataclass
class _Link:
    """One connection. It ends when either direction is cut or closed."""

    proxy: Proxy
    client: asyncio.StreamReader
    answers: asyncio.StreamWriter
    server: asyncio.StreamReader
    requests: asyncio.StreamWriter
    fault: Fault | None = None

    async def forward_requests(self) -> None:
        writes: dict[bytes, bool] = {}  # by the name of the prepared statement
        # Only the first message has no type byte.
        length = await self.client.readexactly(4)
        self.requests.write(length + await self.client.readexactly(int.from_bytes(length) - 4))
        while True:
            kind, message = await _read(self.client)
            if kind == b"P":
                name, statement, _ = message[5:].split(b"\0", 2)
                writes[name] = WRITE in statement
            elif kind == b"B" and self.fault is None and writes[message[5:].split(b"\0", 2)[1]]:
                # asyncpg binds only after it has read all earlier answers, so the next ones belong to this write.
                self.fault = self.proxy.plan.popleft() if self.proxy.plan else None
                if self.fault is not None and not self.fault.reaches_postgres:
                    self.proxy.struck.put_nowait(self.fault)
                    if self.fault.ends:
                        return
            if self.fault is None or self.fault.reaches_postgres:
                self.requests.write(message)

    async def forward_answers(self) -> None:
        while True:
            kind, message = await _read(self.server)
            is_last = kind == b"Z"
            if self.fault in (None, Fault.LEAVE):
                # The end is sent in the same piece, so that asyncpg reads of it before it uses the connection again.
                self.answers.write(message + _LEAVE if is_last and self.fault else message)
            if is_last and self.fault is not None:
                self.proxy.struck.put_nowait(self.fault)
                if self.fault is Fault.LEAVE:
                    await asyncio.sleep(LEAVE_SECONDS)
                if self.fault.ends:
                    return


async def _read(stream: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read a message. Return its type, and all of it."""
    head = await stream.readexactly(5)
    return head[:1], head + await stream.readexactly(int.from_bytes(head[1:]) - 4)


@asynccontextmanager
async def open_proxy(target: Path) -> AsyncIterator[Proxy]:
    """Run a proxy for the Postgres at `target`. Its connections end with the block."""
    proxy = Proxy(target)
    async with await asyncio.start_server(proxy.accept, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        # The proxy could not parse encrypted messages.
        proxy.url = f"postgresql://dossier@127.0.0.1:{port}/postgres?sslmode=disable"
        try:
            yield proxy
        finally:
            listening.close()
            await proxy.disconnect()
