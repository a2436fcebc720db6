"""What is written in one turn of the loop is sent as one piece, and nothing of it is lost."""

import asyncio

from app.protocol import JoinedWrites


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


async def test_the_head_and_the_body_of_a_response_go_together() -> None:
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


async def test_closing_sends_what_waits_first_and_once() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"last words")
    joined.close()
    await asyncio.sleep(0)
    assert wire.sent == [b"last words"]
    assert joined.is_closing()


async def test_what_waits_for_a_connection_that_breaks_is_dropped() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"to nobody")
    wire.closed = True
    await asyncio.sleep(0)
    assert wire.sent == []


async def test_everything_else_is_the_transports_own() -> None:
    assert JoinedWrites(Wire()).get_extra_info("peername") == ("127.0.0.1", 1)
