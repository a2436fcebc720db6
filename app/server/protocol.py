"""uvicorn's HTTP protocol, but for two things: how it refuses what is no HTTP/1.1, and in how many pieces it sends."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.http.errors import answer
from adapters.in_process.system import Ulids, utc_now
from domain.errors import Invalid

_new_id = Ulids()


class Protocol(HttpToolsProtocol):
    """What `dossier serve` has uvicorn speak."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._joined = JoinedWrites(cast("asyncio.Transport", transport))
        super().connection_made(cast("asyncio.Transport", self._joined))

    def eof_received(self) -> None:
        # Whoever has sent all and says so still reads; and the loop closes the transport next, without asking us.
        self._joined.flush()
        super().eof_received()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  the text is for developers of servers
        """Refuse what is no request at all in the envelope too, with a request id."""
        request_id = "req_" + _new_id(utc_now())
        refusal = answer(Invalid({"request": "is not well-formed HTTP/1.1, or too long to be read"}), request_id)
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"x-request-id: %s\r\ncontent-length: %d\r\n\r\n%s" % (request_id.encode(), len(refusal.body), refusal.body)
        )
        self.transport.close()


class JoinedWrites:
    """A transport that sends what is written in one turn of the event loop as one piece, early in the next.

    uvicorn writes the head of a response and then its body, and uvloop sends each at once: two system calls, and two
    packets for the client to read. Joined, a create takes a tenth less CPU.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._call_soon = asyncio.get_running_loop().call_soon
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send it in the next turn at the latest."""
        if not self._waiting:
            self._call_soon(self.flush)
        self._waiting.append(data)

    def close(self) -> None:
        """Send what waits, and close."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Send what waits."""
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            if not self._transport.is_closing():
                self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own; of what writes or counts bytes, uvicorn uses nothing else."""
        return getattr(self._transport, name)
