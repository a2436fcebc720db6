"""The HTTP/1.1 server side of one connection, for uvicorn to run.

A connection handles one request at a time, in these phases, each with a limit (`limits.py`):

    waiting for a head → exchange (body in, response out) → [discarding the rest of the body] → waiting for a head …
                                                          → lingering → closed

If the next request arrives early, its bytes wait unparsed until the response is complete (RFC 9112 9.3.2). At most the
bytes of one read wait.
"""

import asyncio
import math
from collections.abc import Mapping
from typing import Any, cast
from weakref import WeakKeyDictionary

from litestar.types import ASGIApp, Scope
from uvicorn import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from adapters.http.errors import RequestTimeout, ServerBusy
from adapters.http.gate import REFUSED
from app.server import limits
from app.server.connections import Acceptance, Connections
from app.server.exchange import Exchange, scope_of
from app.server.framing import ChunkedBody, HeadReader, SizedBody
from app.server.syntax import Head, parse_head
from domain.errors import Refusal

_connections_of: "WeakKeyDictionary[ServerState, Connections]" = WeakKeyDictionary()


class Protocol(asyncio.Protocol):
    """One connection. uvicorn makes one for each, and calls `shutdown` when the server ends."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: Mapping[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = _loop or asyncio.get_running_loop()
        self._server_state = server_state
        self.body: SizedBody | ChunkedBody = SizedBody(0)
        self.transport: asyncio.Transport
        # uvicorn's type of the connections lists only its own protocol classes.
        self._siblings = cast("set[Protocol]", server_state.connections)
        self._app = cast("ASGIApp", config.loaded_app)
        self._app_state = app_state
        self._root_path = config.root_path
        self._keep_alive_seconds = config.timeout_keep_alive
        if server_state not in _connections_of:
            _connections_of[server_state] = Connections()
        self._all = _connections_of[server_state]
        self._server: tuple[str, int | None] | None = None
        self._client: tuple[str, int] | None = None
        self._head = HeadReader()
        self._exchange: Exchange | None = None
        self._deadline = math.inf
        # The beginning of the next request: bytes that arrived before the current request was answered.
        self._early = b""
        self._has_begun = False
        self.is_ending = False
        # The rest of the input is not read as requests, because its framing is unknown or the connection is about to
        # close.
        self._drops_input = False
        self._is_lingering = False
        self._is_discarding = False
        self._at_eof = False
        self._discarded = 0
        self._reads = True
        # The state of the bytes that the server writes.
        self._written = self._last_written = 0
        self._writable: asyncio.Event | None = None
        self._taken_at = math.inf
        self._taken = 0

    # The event loop calls these methods of `asyncio.Protocol`.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._server, self._client = get_local_addr(self.transport), get_remote_addr(self.transport)
        self._siblings.add(self)
        match self._all.add(self):
            case Acceptance.SERVE:
                self._all.set_idle(self)
                self._deadline = self._all.deadline(limits.HEAD_SECONDS)
            case Acceptance.REFUSE:
                self._refuse(ServerBusy())
            case Acceptance.DROP:
                self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  as asyncio calls it
        self._siblings.discard(self)
        self._all.remove(self)
        if self._exchange is not None:
            self._exchange.abandon()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._drops_input:
            return
        if self._exchange is None:
            self._read_head(data)
        elif not self.body.is_complete:
            self._read_body(data)
        else:
            self._early += data
            self.pause_reading()

    def eof_received(self) -> bool:
        """Keep the connection open for the response. A client that has closed its sending side may still read
        (`nc -N`)."""
        self._at_eof = True
        if self._exchange is None or self._is_lingering or self._is_discarding:
            return False
        if not self.body.is_complete:
            self._exchange.cut_off()
        return True

    def pause_writing(self) -> None:
        self._writable = asyncio.Event()
        # The transport keeps the whole of what was written last until all of it is sent.
        self._all.set_slow(self, max(self._last_written, self.transport.get_write_buffer_size()))

    def resume_writing(self) -> None:
        self._all.set_fast(self)
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    # uvicorn calls these methods.

    @property
    def awaits_first_request(self) -> bool:
        """Whether the connection has not received a complete head yet."""
        return not self._has_begun

    def shutdown(self) -> None:
        """Answer the request in progress, then close. Close at once if there is none."""
        self.is_ending = True
        if self._exchange is None or self._is_discarding:
            self.transport.close()
        else:
            self._exchange.keep_alive = False

    # `Connections` calls these methods.

    def check(self) -> None:
        """Close the connection if the client has missed a deadline, or reads the response too slowly."""
        if self._all.now >= self._deadline and not self.transport.is_closing():
            self._time_out()
        elif not (waiting := self.transport.get_write_buffer_size()):
            self._taken_at = math.inf
        elif self._taken_at == math.inf:
            self._taken_at, self._taken = self._all.now, self._written - waiting
        elif self._all.now - self._taken_at >= limits.WRITE_SECONDS:
            if self._written - waiting - self._taken < limits.WRITE_BYTES:
                self.abort()
            self._taken_at, self._taken = self._all.now, self._written - waiting

    def close_idle(self) -> None:
        """Close this idle connection for a new one. RFC 9112 9.5: clients expect that at any time."""
        # After `close`, a transport with unsent data would stay open until the client has read it.
        if self.transport.get_write_buffer_size():
            self.abort()
        else:
            self.transport.close()

    # An `Exchange` calls these methods.

    def default_headers(self) -> list[tuple[bytes, bytes]]:
        return self._server_state.default_headers

    def write(self, data: bytes) -> None:
        self._last_written = len(data)
        self._written += len(data)
        self.transport.write(data)

    async def wait_until_writable(self) -> None:
        if self._writable is not None:
            await self._writable.wait()

    def pause_reading(self) -> None:
        if self._reads and not self.transport.is_closing():
            self._reads = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._reads and not self._early and not self.transport.is_closing():
            self._reads = True
            self.transport.resume_reading()

    def abort(self) -> None:
        self.transport.abort()

    def end_exchange(self) -> None:
        """Continue after a complete response: discard the rest of the body and wait for the next head, or close."""
        self._server_state.total_requests += 1
        assert self._exchange is not None
        if not self._exchange.keep_alive or (self._at_eof and not self._early):
            self._linger()
        elif not self.body.is_complete:
            self._is_discarding = True
            self._discarded = 0
            self._deadline = self._all.deadline(limits.DISCARD_SECONDS)
            self.resume_reading()
        else:
            self._await_head()

    # These methods move the connection from one phase to the next.

    def _await_head(self) -> None:
        self._exchange = None
        self._is_discarding = False
        early, self._early = self._early, b""
        self._deadline = self._all.deadline(self._keep_alive_seconds)
        self._all.set_idle(self)
        self.resume_reading()
        if early:
            self._read_head(early)

    def _read_head(self, data: bytes) -> None:
        had_begun = self._head.has_begun
        try:
            raw, rest = self._head.feed(data)
            head = None if raw is None else parse_head(raw)
        except Refusal as refusal:
            self._refuse(refusal)
            return
        if head is not None:
            self._begin(head, rest)
        elif self._at_eof:
            self.transport.close()
        elif self._head.has_begun and not had_begun:
            self._all.set_busy(self)
            # The deadline of the first head was set when the connection was made.
            if self._has_begun:
                self._deadline = self._all.deadline(limits.HEAD_SECONDS)

    def _begin(self, head: Head, rest: bytes, *, refusal: Refusal | None = None) -> None:
        self._has_begun = True
        self._all.set_busy(self)
        self._deadline = math.inf
        self.body = ChunkedBody() if head.length is None else SizedBody(head.length)
        self._exchange = exchange = Exchange(self, head)
        if self.is_ending or refusal is not None:
            exchange.keep_alive = False
        scope = scope_of(head, self._server, self._client, self._root_path)
        scope["state"] = dict(self._app_state)
        if refusal is not None:
            scope[REFUSED] = refusal
        # Litestar's type also requires the keys that Litestar adds.
        task = self.loop.create_task(exchange.run(self._app, cast("Scope", scope)))
        self._server_state.tasks.add(task)
        task.add_done_callback(self._server_state.tasks.discard)
        if rest:
            self.data_received(rest)

    def _read_body(self, data: bytes) -> None:
        exchange = self._exchange
        assert exchange is not None
        try:
            content, self._early = self.body.feed(data)
        except Refusal as refusal:
            self._drops_input = True
            exchange.refuse(refusal)
            if self._is_discarding:
                self._linger()
            return
        if not self._is_discarding:
            exchange.feed(content)
            if self._early:
                self.pause_reading()
            return
        # The bytes of the framing count too. Otherwise a body of tiny chunks could be long.
        self._discarded += len(data)
        if self.body.is_complete:
            self._await_head()
        elif self._discarded > limits.DISCARD_BYTES:
            self._linger()

    def _refuse(self, refusal: Refusal) -> None:
        """Let the application answer a request that is not valid HTTP, then close the connection.

        No part of the request reaches the application, because none of it can be trusted.
        """
        self._drops_input = True
        self._begin(Head("", b"", b"", "1.1", []), b"", refusal=refusal)

    def _linger(self) -> None:
        """Close the connection, but first read the bytes that the client still sends. If they stayed unread, the client
        could lose the response."""
        is_all_read = self.body.is_complete and not self._early and not self._drops_input
        if is_all_read or self._at_eof:
            self.transport.close()
            return
        self._is_lingering = self._drops_input = True
        self._early = b""
        self._deadline = self._all.deadline(limits.LINGER_SECONDS)
        self.transport.write_eof()
        self.resume_reading()

    def _time_out(self) -> None:
        self._deadline = math.inf
        if self._exchange is None and self._head.has_begun:
            self._refuse(RequestTimeout())
        elif self._is_lingering and self.transport.get_write_buffer_size():
            # The client has not read the response yet. `check` enforces the time limit.
            self._deadline = self._all.deadline(limits.LINGER_SECONDS)
        elif self._is_lingering:
            self.abort()
        elif self._is_discarding:
            self._linger()
        else:
            self.transport.close()
