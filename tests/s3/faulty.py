"""A server that misbehaves: each connection gets the next of a list of behaviours."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


def respond(status: int, *headers: str, body: str = "") -> Behaviour:
    """Respond once, then close the connection."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", "Connection: close", *headers]
        if not any(header.startswith("Content-Length") for header in headers):
            lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", body]).encode())

    return behave


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
            # A silent behaviour ends by cancellation, which asyncio would otherwise log as an error.
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
