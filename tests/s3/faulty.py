"""A server that fails as it is told to, one connection after the other."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, *headers: str, body: str = "") -> Behaviour:
    """An answer, after which the connection is closed."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", "Connection: close", *headers]
        if not any(header.startswith("Content-Length") for header in headers):
            lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", body]).encode())

    return behave


async def silence(_: asyncio.StreamWriter) -> None:
    """No answer, for as long as anybody waits."""
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    """An answer that never ends: one header after the other."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def hang_up(_: asyncio.StreamWriter) -> None:
    """No answer: the connection is closed."""


async def reset(writer: asyncio.StreamWriter) -> None:
    """No answer: the connection is torn."""
    # Closed without waiting for anything: the other side gets RST, not FIN.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def babble(writer: asyncio.StreamWriter) -> None:
    """What is no HTTP."""
    writer.write(b"220 mail.example.com ESMTP\r\n\r\n")


@asynccontextmanager
async def faulty_server(
    *behaviours: Behaviour, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Its endpoint, and the requests that came. Connections behave in turn; those after the last, like the last."""
    seen: list[bytes] = []
    serving: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving[asyncio.current_task()] = writer
        try:
            # Cancelled is how silence ends; asyncio would log it as an error of ours.
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                seen.append(await reader.readuntil(b"\r\n\r\n"))
                await behaviours[min(len(seen), len(behaviours)) - 1](writer)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
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
