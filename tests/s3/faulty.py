"""A server that misbehaves: each connection gets the next of a list of behaviours."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.sending import Timeouts
from adapters.s3.storage import S3Storage, open_s3
from domain.paths import StoragePath
from ports.system import Unavailable

PATH = StoragePath("workspaces/ws_1/documents/a.txt")
QUICK = Timeouts(connect_seconds=0.2, response_seconds=0.3)
SECRET = "a-secret-that-must-not-be-shown"
Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


def respond(status: int, *headers: str, body: str = "") -> Behaviour:
    """Respond once, then close the connection."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", "Connection: close", *headers]
        if not any(header.startswith("Content-Length") for header in headers):
            lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", body]).encode())

    return behave


FOUND = respond(200, "Content-Length: 7", 'ETag: "abc"')


async def stay_silent(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def send_endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def hang_up(_: asyncio.StreamWriter) -> None:
    """Close the connection without a response."""


async def reset(writer: asyncio.StreamWriter) -> None:
    # With no linger time, the kernel sends RST instead of FIN.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def greet_as_smtp(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.com ESMTP\r\n\r\n")


@asynccontextmanager
async def faulty_server(
    *behaviours: Behaviour, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Yield the endpoint and the received requests. The last behaviour also serves all further connections."""
    received: list[bytes] = []
    serving: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving[asyncio.current_task()] = writer
        try:
            # A behaviour that never responds is cancelled at the end of the test. asyncio would log that as an error.
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                received.append(await reader.readuntil(b"\r\n\r\n"))
                await behaviours[min(len(received), len(behaviours)) - 1](writer)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}", received
    finally:
        server.close()
        for task, writer in serving.items():
            if task:
                task.cancel()
            writer.transport.abort()
        for writer in serving.values():
            with suppress(ConnectionError):
                await writer.wait_closed()
        await server.wait_closed()


@asynccontextmanager
async def storage_at(endpoint: str) -> AsyncIterator[S3Storage]:
    """Open the adapter at an endpoint, with short timeouts."""
    async with open_s3(s3_location(f"s3://acme?endpoint={endpoint}"), utc_now, QUICK) as storage:
        yield storage


@asynccontextmanager
async def faulty_storage(*behaviours: Behaviour) -> AsyncIterator[tuple[S3Storage, list[bytes]]]:
    """Open the adapter on a store that misbehaves, and yield it with the received requests."""
    async with faulty_server(*behaviours) as (endpoint, received), storage_at(endpoint) as storage:
        yield storage, received


async def error_of_stat(storage: S3Storage) -> str:
    """Return the message of the `Unavailable` that a call raises within 5 s."""
    with pytest.raises(Unavailable) as caught:
        async with asyncio.timeout(5):
            await storage.stat(PATH)
    return str(caught.value)
