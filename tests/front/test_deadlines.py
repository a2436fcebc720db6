"""The time limit of each phase of a connection. The tests advance the clock of the connections."""

import asyncio
from typing import Any

import pytest

from app.server import limits

from .driven import Driven, Server, echo
from .test_exchange import GET, OK, body, post, start


@pytest.fixture
def server() -> Server:
    return Server(echo)


async def is_refused(connection: Driven) -> bool:
    """Return whether the client was answered 408 and disconnected. `echo` reports the refusal as its body."""
    (response,) = connection.responses()
    return bool(response.json["refused"] == "RequestTimeout") and not connection.is_open


@pytest.mark.parametrize(
    ("sent", "seconds", "is_answered"),
    [(b"", limits.HEAD_SECONDS, False), (GET, 75, False), (GET + b"G", limits.HEAD_SECONDS, True)],
    ids=["a new connection", "an idle one, longer than proxies keep theirs", "one byte of a second request"],
)
async def test_a_silent_connection_is_closed_in_time_and_answered_if_a_request_has_begun(
    server: Server, sent: bytes, seconds: int, is_answered: bool
) -> None:
    connection = server.connect()
    await connection.send(sent[: len(GET)])
    connection.responses()
    await connection.send(sent[len(GET) :])
    await server.pass_time(seconds)
    assert connection.is_open
    await server.pass_time(1)
    if is_answered:
        assert await is_refused(connection)
    else:
        assert connection.transport.is_closed
        assert connection.transport.sent == b""


async def test_an_incomplete_head_is_refused_however_often_a_byte_arrives(server: Server) -> None:
    connection = server.connect()
    for position in range(limits.HEAD_SECONDS):
        await connection.send(GET[position : position + 1])
        await server.pass_time(1)
        assert connection.is_open
    await server.pass_time(1)
    assert await is_refused(connection)


async def test_empty_lines_do_not_keep_an_idle_connection_open(server: Server) -> None:
    connection = server.connect()
    await connection.send(GET)
    for _ in range(76):
        await connection.send(b"\r\n")
        await server.pass_time(1)
    assert connection.transport.is_closed


async def test_the_server_may_take_its_time_for_a_response() -> None:
    may_answer = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await may_answer.wait()
        await OK(scope, receive, send)

    server = Server(app)
    connection = server.connect()
    await connection.send(GET)
    await server.pass_time(200)
    may_answer.set()
    await server.pass_time(1)
    assert connection.statuses() == [200]


async def test_a_short_unread_body_is_discarded_and_the_connection_stays_open() -> None:
    connection = Server(OK).connect()
    await connection.send(post(b"Content-Length: 38"))
    assert connection.responses()[0].headers.get("connection") is None
    await connection.send(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n..." + GET)
    assert connection.statuses() == [200]


async def test_an_unread_body_that_does_not_arrive_ends_the_connection() -> None:
    server = Server(OK)
    connection = server.connect()
    await connection.send(post(b"Content-Length: 38"))
    await server.pass_time(limits.DISCARD_SECONDS)
    assert connection.is_open
    await server.pass_time(1)
    assert not connection.is_open


@pytest.mark.parametrize("length", [limits.DISCARD_BYTES + 1, 5 * 2**30])
async def test_a_long_unread_body_ends_the_connection_after_the_response(length: int) -> None:
    server = Server(OK)
    connection = server.connect()
    await connection.send(post(b"Content-Length: %d" % length))
    assert connection.responses()[0].headers["connection"] == "close"
    assert connection.transport.has_sent_eof
    # The server reads the bytes that the client still sends. Otherwise the kernel would reset the connection, and the
    # response could be lost.
    await connection.send(b"a" * 100_000)
    assert not connection.transport.is_closed
    await server.pass_time(limits.LINGER_SECONDS + 1)
    assert connection.transport.is_aborted


async def test_a_chunked_unread_body_is_discarded_up_to_a_limit() -> None:
    connection = Server(OK).connect()
    await connection.send(post(b"Transfer-Encoding: chunked"))
    assert connection.responses()[0].headers.get("connection") is None
    await connection.send(b"1\r\na\r\n" * (limits.DISCARD_BYTES // 6))
    assert connection.is_open
    await connection.send(b"1\r\na\r\n" * 2)
    assert not connection.is_open


async def test_a_lingering_connection_is_closed_when_its_client_closes() -> None:
    connection = Server(OK).connect()
    await connection.send(post(b"Content-Length: 100000"))
    assert connection.transport.has_sent_eof
    assert connection.protocol.eof_received() is False


async def stream(scope: Any, receive: Any, send: Any) -> None:
    """Send a megabyte of an endless response."""
    await send(start())
    await send(body(b"a" * 1_000_000, more=True))
    while (await receive())["type"] != "http.disconnect":
        pass


@pytest.mark.parametrize(("taken_a_second", "is_kept"), [(0, False), (1, False), (200, False), (300, True)])
async def test_a_client_that_reads_a_response_too_slowly_is_disconnected(taken_a_second: int, is_kept: bool) -> None:
    server = Server(stream)
    connection = server.connect()
    connection.transport.unsent_bytes = 1_000_000
    await connection.send(GET)
    for _ in range(2 * limits.WRITE_SECONDS + 2):
        connection.transport.unsent_bytes -= taken_a_second
        await server.pass_time(1)
    assert connection.transport.is_aborted is not is_kept


async def test_a_closing_connection_whose_client_reads_nothing_is_aborted() -> None:
    server = Server(OK)
    connection = server.connect()
    connection.transport.unsent_bytes = 100
    await connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    # This transport, like a real one, is not closed before everything is sent.
    connection.transport.is_closed = False
    server.connections.add(connection.protocol)
    await server.pass_time(limits.WRITE_SECONDS + 2)
    assert connection.transport.is_aborted
