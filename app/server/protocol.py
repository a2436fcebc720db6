"""uvicorn's HTTP protocol with two changes: malformed HTTP gets our error body, and writes are joined."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.http.errors import answer
from adapters.in_process.system import Ulids, utc_now
from domain.errors import Invalid

_new_id = Ulids()


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with joined writes and our error body for malformed requests."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._joined = JoinedWrites(cast("asyncio.Transport", transport))
        super().connection_made(cast("asyncio.Transport", self._joined))

    def eof_received(self) -> None:
        # A client that has finished sending still reads. The event loop closes the transport next, without calling us.
        self._joined.flush()
        super().eof_received()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  the text names parser internals
        """Answer a malformed request with the error envelope and a request id."""
        request_id = "req_" + _new_id(utc_now())
        refusal = answer(Invalid({"request": "is not well-formed HTTP/1.1, or is too long"}), request_id)
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"x-request-id: %s\r\ncontent-length: %d\r\n\r\n%s" % (request_id.encode(), len(refusal.body), refusal.body)
        )
        self.transport.close()


class JoinedWrites:
    """A transport that joins all writes of one iteration of the event loop, and sends them early in the next one.

    uvicorn writes the head of a response and then its body, and uvloop sends each at once: two system calls, and two
    packets for the client to read. Joined writes save 10 % of a create's CPU.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._call_soon = asyncio.get_running_loop().call_soon
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send the data, at the latest in the next iteration of the event loop."""
        if not self._waiting:
            self._call_soon(self.flush)
        self._waiting.append(data)

    def close(self) -> None:
        """Send all waiting data and close."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Send all waiting data."""
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            if not self._transport.is_closing():
                self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the transport. uvicorn calls no other method that writes or counts bytes."""
        return getattr(self._transport, name)
