"""The HTTP protocol of `dossier serve`: joined writes, half-closed connections, and connections during a shutdown."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import Mock, call

import pytest
import uvicorn
import uvloop

from app.server import draining
from app.server.draining import DrainingProtocol
from app.server.protocol import JoinedWrites

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


def open_wire() -> Mock:
    """Return a transport that records its calls."""
    return Mock(spec=asyncio.Transport, **{"is_closing.return_value": False})


async def test_data_written_in_one_iteration_of_the_loop_is_sent_as_one_piece() -> None:
    wire = open_wire()
    joined = JoinedWrites(wire)
    joined.write(b"head, ")
    joined.write(b"body")
    wire.write.assert_not_called()
    await asyncio.sleep(0)
    joined.write(b"more")
    await asyncio.sleep(0)
    joined.write(b"last")
    joined.close()
    await asyncio.sleep(0)
    effects = [each for each in wire.mock_calls if each != call.is_closing()]
    assert effects == [call.write(b"head, body"), call.write(b"more"), call.write(b"last"), call.close()]


async def test_data_for_a_broken_connection_is_dropped() -> None:
    wire = open_wire()
    JoinedWrites(wire).write(b"data")
    wire.is_closing.return_value = True
    await asyncio.sleep(0)
    wire.write.assert_not_called()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[DrainingProtocol, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield the protocol of a connection that a server has accepted, and the client's end of it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    config = uvicorn.Config(app, http=DrainingProtocol, lifespan="off", log_config=None)
    config.load()
    accepted: asyncio.Queue[DrainingProtocol] = asyncio.Queue()

    def accept() -> DrainingProtocol:
        protocol = DrainingProtocol(config, uvicorn.server.ServerState(), {})
        accepted.put_nowait(protocol)
        return protocol

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    protocol = await accepted.get()
    await asyncio.sleep(0)
    yield protocol, reader, writer
    writer.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_half_closed_connection_is_answered(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """`nc -N` and simple probes half-close the connection before they read."""

    async def ask() -> None:
        for _ in range(20):
            async with connected() as (_, reader, writer):
                writer.write(REQUEST)
                writer.write_eof()
                assert (await reader.read()).endswith(b"\r\n\r\nok")

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(ask())


async def test_a_connection_accepted_before_a_shutdown_is_answered_and_closed() -> None:
    async with connected() as (protocol, reader, writer):
        protocol.shutdown()
        writer.write(REQUEST)
        answer = await reader.read()
        assert b"\r\nconnection: close\r\n" in answer
        assert answer.endswith(b"\r\n\r\nok")


async def test_a_shutdown_closes_a_silent_connection_soon_and_an_idle_one_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draining, "FIRST_REQUEST_SECONDS", 0.01)
    async with connected() as (protocol, reader, _):
        protocol.shutdown()
        assert await reader.read() == b""
    async with connected() as (protocol, reader, writer):
        writer.write(REQUEST)
        assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")
        protocol.shutdown()
        assert protocol.transport.is_closing()
