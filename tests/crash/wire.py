"""HTTP with one connection for each request.

Unlike an HTTP client library, it never pools or resends, and it can send many requests at the same moment.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from tests.acceptance.raw import Answer, read_head

ANSWERED_WITHIN = 8
"""Seconds within which every request is answered, whatever happens behind the server."""


class Interrupted(Exception):
    """The connection broke before the whole response arrived: the outcome is unknown."""


class Line:
    """An open connection for one request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, request: bytes) -> None:
        self._writer.write(request)

    async def reply(self) -> Answer:
        """Return the whole response. Raise `Interrupted` if the server or the connection ends before it."""
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                await self._writer.drain()
                answer = await self._reader.read()
        except TimeoutError:
            raise AssertionError(f"no answer within {ANSWERED_WITHIN} s") from None
        except OSError as error:
            raise Interrupted from error
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head:
            raise Interrupted
        status, headers = read_head(head)
        # A 204 has no Content-Length (RFC 9110, section 8.6). Any other response without one was cut off.
        if len(body) != (0 if status == 204 else int(headers.get("content-length", -1))):
            raise Interrupted
        return Answer(status, headers, body)


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """Open a connection to the server on `port`. Raise `Interrupted` if no process listens there."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        raise Interrupted from error
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def send(port: int, request: bytes) -> Answer:
    """Send a request and return the whole response. Raise `Interrupted` if it does not arrive."""
    async with line_to(port) as line:
        line.send(request)
        return await line.reply()


def message(method: str, target: str, key: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return a request with an API key as bytes."""
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: dossier",
        "Connection: close",
        f"Authorization: Bearer {key}",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
