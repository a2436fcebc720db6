"""The events that an application receives, and the bytes that its response becomes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from .driven import Server, echo, settle

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def post(*fields: bytes) -> bytes:
    return b"".join(field + b"\r\n" for field in (b"POST /a HTTP/1.1", b"Host: a", *fields, b""))


def answering(*messages: dict[str, Any]) -> Any:
    """Return an application that sends these messages after 200."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def start(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": list(headers)}


def body(content: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


OK = answering(start((b"content-length", b"2")), body(b"ok"))


async def seen(raw: bytes) -> Any:
    """Return what the application receives of a request."""
    connection = Server(echo).connect()
    await connection.send(raw)
    (response,) = connection.responses()
    return response.json


async def test_trailers_never_become_headers() -> None:
    received = await seen(post(b"Transfer-Encoding: chunked") + b"1\r\na\r\n0\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n")
    assert received["body"] == "a"
    assert [name for name, _ in received["headers"]] == ["host", "transfer-encoding"]


async def test_the_host_of_an_absolute_target_replaces_the_field() -> None:
    received = await seen(b"GET http://target.example:8000/a?b HTTP/1.1\r\nHost: field.example\r\n\r\n")
    assert received["path"] == "/a"
    assert received["headers"] == [["host", "target.example:8000"]]


async def test_header_names_are_in_lower_case_and_values_are_trimmed() -> None:
    received = await seen(b"GET / HTTP/1.1\r\nHOST: a\r\nX-Two: \t b c \r\nx-two:d\r\n\r\n")
    assert received["headers"] == [["host", "a"], ["x-two", "b c"], ["x-two", "d"]]


async def test_no_part_of_a_malformed_request_reaches_the_application() -> None:
    received = await seen(b"GET /metrics HTTP/1.1\r\nX-A: 1\r\n\r\n")
    assert received == {"method": "", "path": "", "headers": [], "body": "", "refused": "Invalid"}


async def test_the_head_and_the_body_of_a_response_are_sent_together() -> None:
    connection = Server(OK).connect()
    await connection.send(GET)
    assert connection.transport.writes == 1
    assert connection.responses()[0].body == b"ok"


@pytest.mark.parametrize(("version", "content"), [(b"1.1", b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), (b"1.0", b"onetwo")])
async def test_a_response_without_length_is_chunked_or_ends_the_connection(version: bytes, content: bytes) -> None:
    connection = Server(answering(start(), body(b"one", more=True), body(b"two"))).connect()
    await connection.send(GET.replace(b"1.1", version))
    head, _, sent = connection.transport.sent.partition(b"\r\n\r\n")
    assert (b"\r\ntransfer-encoding: chunked" in head) is (version == b"1.1")
    assert sent == content
    assert connection.is_open is (version == b"1.1")


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_content_is_sent_without_framing(status: int) -> None:
    connection = Server(answering(start() | {"status": status}, body(b""))).connect()
    await connection.send(GET + GET)
    assert [response.headers for response in connection.responses()] == [{}, {}]


async def test_a_response_to_head_has_the_length_but_no_body() -> None:
    connection = Server(OK).connect()
    await connection.send(GET.replace(b"GET", b"HEAD"))
    head, _, content = connection.transport.sent.partition(b"\r\n\r\n")
    assert b"content-length: 2" in head
    assert content == b""


@pytest.mark.parametrize("header", [(b"x-a", b"a\r\nx-b: c"), (b"x-a", b"a\nb"), (b"x a", b"b"), (b"x-a", b"\0")])
async def test_a_header_that_would_break_the_response_is_not_sent(header: tuple[bytes, bytes]) -> None:
    connection = Server(answering(start(header), body(b""))).connect()
    await connection.send(GET)
    assert connection.transport.sent == b""
    assert connection.transport.is_aborted


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (start((b"content-length", b"1")), body(b"ok")),
        (start((b"content-length", b"3")), body(b"ok")),
    ],
    ids=["nothing", "too long", "too short"],
)
async def test_a_response_that_is_missing_or_not_as_long_as_announced_ends_the_connection(messages: Any) -> None:
    connection = Server(answering(*messages)).connect()
    await connection.send(GET)
    assert connection.transport.is_aborted


async def test_a_100_continue_is_sent_when_the_application_reads_the_body() -> None:
    connection = Server(echo).connect()
    await connection.send(post(b"Expect: 100-continue", b"Content-Length: 5"))
    assert connection.statuses() == [100]
    await connection.send(b"hello")
    assert connection.responses()[0].json["body"] == "hello"
    assert connection.is_open


async def test_a_client_that_got_no_100_continue_is_answered_and_disconnected() -> None:
    connection = Server(OK).connect()
    await connection.send(post(b"Expect: 100-continue", b"Content-Length: 38"))
    (response,) = connection.responses()
    assert response.headers["connection"] == "close"
    await connection.send(GET)
    assert connection.transport.sent == b""


async def test_no_100_continue_is_sent_for_a_body_that_arrives_with_its_head() -> None:
    connection = Server(echo).connect()
    await connection.send(post(b"Expect: 100-continue", b"Content-Length: 5") + b"hello")
    assert connection.statuses() == [200]


async def test_many_requests_at_once_are_answered_one_by_one() -> None:
    running = most = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        await OK(scope, receive, send)
        running -= 1

    connection = Server(app).connect()
    await connection.send(GET * 1000)
    statuses = connection.statuses()
    # The rest of what was read waits, and nothing more is read.
    assert len(statuses) < 1000
    assert connection.transport.is_paused
    for _ in range(100):
        await settle()
        statuses += connection.statuses()
    assert statuses == [200] * 1000
    assert most == 1


async def test_a_large_body_waits_until_the_application_reads_it() -> None:
    may_read = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await may_read.wait()
        await echo(scope, receive, send)

    connection = Server(app).connect()
    await connection.send(post(b"Content-Length: 1000000") + b"a" * 1_000_000, size=10_000)
    assert connection.transport.is_paused
    may_read.set()
    await settle()
    assert len(connection.responses()[0].json["body"]) == 1_000_000


async def test_a_stream_stops_when_its_client_disconnects() -> None:
    pieces = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal pieces
        await send(start())
        while True:
            pieces += 1
            await send(body(b"piece", more=True))
            await asyncio.sleep(0)

    server = Server(app)
    connection = server.connect()
    await connection.send(GET + GET)
    connection.transport.close()
    await settle()
    assert not server.state.tasks
    assert pieces < 200


async def test_the_application_learns_that_the_client_has_disconnected() -> None:
    received: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        received.extend([await receive(), await receive()])

    connection = Server(app).connect()
    await connection.send(GET)
    connection.transport.close()
    await settle()
    assert [message["type"] for message in received] == ["http.request", "http.disconnect"]


async def test_a_client_that_stops_in_its_body_can_still_be_answered() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        await OK(scope, receive, send)

    connection = Server(app).connect()
    await connection.send(post(b"Content-Length: 10") + b"hello")
    assert connection.protocol.eof_received()
    await settle()
    assert connection.statuses() == [200]
    assert not connection.is_open


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_client_that_has_closed_its_sending_side_is_answered(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """`nc -N` and simple probes close their sending side and then read."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.01)
        await OK(scope, receive, send)

    async def ask() -> None:
        server = Server(app)
        listening = await asyncio.get_running_loop().create_server(server.new_protocol, "127.0.0.1", 0)
        for _ in range(5):
            answers, question = await asyncio.open_connection(*listening.sockets[0].getsockname())
            question.write(GET)
            question.write_eof()
            assert (await answers.read()).endswith(b"\r\n\r\nok")
            question.close()
        listening.close()
        await listening.wait_closed()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(ask())
