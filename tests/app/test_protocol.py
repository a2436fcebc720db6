"""Data written in one iteration of the event loop is sent as one piece, and none is lost."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
import uvloop

from app.server.protocol import JoinedWrites, Protocol


class Wire(asyncio.Transport):
    """Notes what is sent."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def test_the_head_and_the_body_of_a_response_are_sent_together() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"head, ")
    joined.write(b"body")
    assert wire.sent == []
    await asyncio.sleep(0)
    assert wire.sent == [b"head, body"]
    joined.write(b"more")
    await asyncio.sleep(0)
    assert wire.sent == [b"head, body", b"more"]


async def test_closing_sends_waiting_data_first_and_once() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"last words")
    joined.close()
    await asyncio.sleep(0)
    assert wire.sent == [b"last words"]
    assert joined.is_closing()


async def test_data_for_a_broken_connection_is_dropped() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"to nobody")
    wire.closed = True
    await asyncio.sleep(0)
    assert wire.sent == []


async def test_other_attributes_are_those_of_the_transport() -> None:
    assert JoinedWrites(Wire()).get_extra_info("peername") == ("127.0.0.1", 1)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_half_closed_connection_is_answered(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """As `nc -N` and simple probes do: they half-close, and then read."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def ask() -> None:
        config = uvicorn.Config(app, http=Protocol, lifespan="off", log_config=None)
        config.load()
        state = uvicorn.server.ServerState()
        here = asyncio.get_running_loop()
        server = await here.create_server(lambda: Protocol(config, state, {}), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        for _ in range(20):
            answers, question = await asyncio.open_connection("127.0.0.1", port)
            question.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            question.write_eof()
            assert (await answers.read()).endswith(b"\r\n\r\nok")
            question.close()
        server.close()
        await server.wait_closed()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(ask())
