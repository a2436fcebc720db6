"""One request and its response, as an ASGI application sees them (`receive` and `send`)."""

import asyncio
import logging
import re
from http import HTTPStatus
from typing import Any
from typing import Protocol as Interface
from urllib.parse import unquote

from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Scope

from app.server.framing import ChunkedBody, SizedBody
from app.server.limits import DISCARD_BYTES
from app.server.syntax import Head

BODY_BUFFER_BYTES = 64 * 1024
"""The number of bytes of a body that may wait for the application. Then the server stops reading from the
connection."""

_LARGE_BYTES = 64 * 1024

log = logging.getLogger("dossier.server")

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_HEADER_LINES = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9a-z]++: [\t\x20-\x7e\x80-\xff]*+\r\n)*+")
_WITHOUT_BODY = frozenset((204, 304))


def scope_of(
    head: Head, server: tuple[str, int | None] | None, client: tuple[str, int] | None, root_path: str
) -> dict[str, Any]:
    """Return the scope of a request, as the ASGI specification defines it."""
    path = head.path.decode("ascii")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": head.version,
        "server": server,
        "client": client,
        "scheme": "http",
        "method": head.method,
        "root_path": root_path,
        "path": root_path + (unquote(path) if "%" in path else path),
        "raw_path": root_path.encode() + head.path,
        "query_string": head.query,
        "headers": head.headers,
    }


class ClientGone(OSError):
    """The client has closed the connection before the response was complete."""


class Connection(Interface):
    """The methods of a connection that an exchange calls."""

    body: SizedBody | ChunkedBody

    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers that the server adds to every response, such as `Date`."""
        ...

    def write(self, data: bytes) -> None:
        """Send data."""
        ...

    async def wait_until_writable(self) -> None:
        """Wait until the client has read enough of the written bytes."""
        ...

    def pause_reading(self) -> None:
        """Stop reading from the client until `resume_reading`."""
        ...

    def resume_reading(self) -> None:
        """Continue reading, unless the next request has begun to arrive."""
        ...

    def end_exchange(self) -> None:
        """Let the connection wait for the next request, or close it, because the response is complete."""
        ...

    def abort(self) -> None:
        """Drop the connection and the bytes that are not sent yet."""
        ...


class Exchange:
    """One request and its response. The connection feeds the body; the application reads it and sends the response."""

    def __init__(self, connection: Connection, head: Head) -> None:
        self._connection = connection
        self._head = head
        self._changed: asyncio.Event | None = None
        # The state of the request.
        self._content: list[bytes] = []
        self._waiting_bytes = 0
        self._is_delivered = False
        self._error: Exception | None = None
        self._is_cut_off = False
        # The state of the response.
        self._head_bytes = b""
        self._length: int | None = None
        self._is_chunked = False
        self._has_content = True
        self.has_started = False
        self.is_complete = False
        self.keep_alive = head.keep_alive
        self.is_abandoned = False

    # The connection calls the following methods.

    def feed(self, content: bytes) -> None:
        """Add content of the body."""
        if self.is_complete:
            return
        if content:
            self._content.append(content)
            self._waiting_bytes += len(content)
            if self._waiting_bytes > BODY_BUFFER_BYTES:
                self._connection.pause_reading()
        self._notify()

    def refuse(self, error: Exception) -> None:
        """Raise `error` in the application when it reads more of the body, because the rest of the body breaks a
        rule."""
        self._error = error
        self.cut_off()

    def cut_off(self) -> None:
        """Report to the application that the rest of the body will not arrive. The client may still read the
        response."""
        self._is_cut_off = True
        self.keep_alive = False
        self._notify()

    def abandon(self) -> None:
        """Report to the application that the client has disconnected."""
        self.is_abandoned = True
        self.cut_off()

    def _notify(self) -> None:
        if self._changed is not None:
            self._changed.set()

    # The application calls the following methods.

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Call the application. If it fails, close the connection, so that the client sees an incomplete response or
        none."""
        try:
            await app(scope, self.receive, self.send)
        except ClientGone:
            pass
        # Catching every error is safe here: it is logged, and no caller could handle it. A cancellation ends here as
        # well.
        except BaseException as error:
            if not self.is_abandoned:
                log.error("the application failed outside its error table", exc_info=error)
        if not self.is_complete and not self.is_abandoned:
            self._connection.abort()

    async def receive(self) -> HTTPReceiveMessage:
        """Return the next piece of the body, as soon as there is one."""
        while True:
            if self.is_complete:
                return {"type": "http.disconnect"}
            if self._content or (self._connection.body.is_complete and not self._is_delivered):
                content, self._content = b"".join(self._content), []
                self._waiting_bytes = 0
                self._is_delivered = self._connection.body.is_complete
                return {"type": "http.request", "body": content, "more_body": not self._is_delivered}
            if self._error is not None and not self.has_started:
                raise self._error
            if self._is_cut_off:
                return {"type": "http.disconnect"}
            if self._head.expects_continue and not self._is_delivered and not self.has_started:
                self._head.expects_continue = False
                self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if self._changed is None:
                self._changed = asyncio.Event()
            self._changed.clear()
            self._connection.resume_reading()
            await self._changed.wait()

    async def send(self, message: Message) -> None:
        """Send a part of the response. The head is sent together with the first piece of the body.

        Raises:
            ClientGone: the client has disconnected during a streamed response, so the application must stop.
        """
        await self._connection.wait_until_writable()
        if self.is_abandoned:
            # Only a streamed response must be stopped. Any other response ends by itself, and raising an error would
            # only add a line to the log.
            if message["type"] == "http.response.body" and message.get("more_body"):
                raise ClientGone
            return
        if message["type"] == "http.response.start":
            self.has_started = True
            self._head_bytes = self._response_head(message["status"], message["headers"])
        elif message["type"] == "http.response.body" and self.has_started and not self.is_complete:
            more = message.get("more_body", False)
            self._send_body(message.get("body", b""), is_last=not more)
            if more:
                # So that the application does not read the next piece before the client has taken this one.
                await self._connection.wait_until_writable()
        else:
            raise RuntimeError(f"the application sent {message['type']} out of order")

    def _response_head(self, status: int, headers: Any) -> bytes:
        """Return the head of the response, and decide whether the connection stays open after it."""
        self._decide_persistence()
        lines = []
        length = None
        for name, value in (*self._connection.default_headers(), *headers):
            name = name.lower()
            if name == b"content-length":
                length = int(value)
            elif name == b"connection":
                self.keep_alive = self.keep_alive and b"close" not in value.lower()
                continue
            lines.append(b"%b: %b\r\n" % (name, value))
        if self._head.method == "HEAD" or status in _WITHOUT_BODY:
            self._has_content = False
        elif length is not None:
            self._length = length
        elif self._head.version == "1.1":
            self._is_chunked = True
            lines.append(b"transfer-encoding: chunked\r\n")
        else:
            # RFC 9112 6.1: HTTP/1.0 has no chunks, so the end of the connection is the end of the response.
            self.keep_alive = False
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        fields = b"".join(lines)
        # A header with a line break would be two headers, or the beginning of another response.
        if not _HEADER_LINES.fullmatch(fields) or fields.count(b"\n") != len(lines):
            raise RuntimeError("the application sent an invalid header")
        return b"%b%b\r\n" % (_STATUS_LINES[status], fields)

    def _decide_persistence(self) -> None:
        """Decide to close the connection after the response if the rest of the body is long, or if the client may never
        send it.

        A client that still waits for `100 Continue` may send its body next, or another request (RFC 9110 10.1.1). The
        server could not distinguish the two.
        """
        body = self._connection.body
        if not body.is_complete and (self._head.expects_continue or body.missing > DISCARD_BYTES):
            self.keep_alive = False

    def _send_body(self, content: bytes, *, is_last: bool) -> None:
        if not self._has_content:
            content = b""
        if self._length is not None:
            self._length -= len(content)
            if self._length < 0 or (is_last and self._length):
                raise RuntimeError("the application sent a body of another length than its Content-Length")
        if self._is_chunked:
            content = b"%b%b" % (
                b"%x\r\n%b\r\n" % (len(content), content) if content else b"",
                b"0\r\n\r\n" if is_last else b"",
            )
        if len(content) > _LARGE_BYTES:
            # Not joined with the head, because that would copy the content: a file in memory is sent to many clients.
            self._connection.write(self._head_bytes)
            self._connection.write(content)
        elif content or self._head_bytes:
            self._connection.write(self._head_bytes + content)
        self._head_bytes = b""
        if is_last:
            self.is_complete = True
            self._content.clear()
            self._notify()
            self._connection.end_exchange()
