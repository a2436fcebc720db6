"""The limit of connections of a process, and the treatment of connections beyond it."""

import logging
import resource

import pytest
from litestar.types import Send

from app.server import limits
from app.server.connections import LOG_SECONDS

from .driven import Server, echo, settle
from .test_exchange import GET, OK


async def test_at_the_limit_the_connection_that_was_idle_longest_makes_room() -> None:
    server = Server(OK, limit=3)
    first, second, third = (server.connect() for _ in range(3))
    await server.pass_time(2)
    await first.send(GET)
    await server.pass_time(2)
    new = server.connect()
    await new.send(GET)
    assert new.statuses() == [200]
    assert [connection.transport.is_closed for connection in (first, second, third)] == [False, True, False]


async def test_without_an_idle_connection_the_next_one_is_refused() -> None:
    server = Server(echo, limit=2)
    busy = [server.connect() for _ in range(2)]
    for connection in busy:
        await connection.send(b"GET")
    await server.pass_time(2)
    new = server.connect()
    await new.send(GET)
    (response,) = new.responses()
    assert response.json["refused"] == "ServerBusy"
    assert response.headers["connection"] == "close"
    assert not new.is_open
    assert all(connection.is_open for connection in busy)


async def test_without_an_idle_connection_the_one_whose_client_reads_nothing_for_longest_makes_room() -> None:
    server = Server(echo, limit=2)
    first, second = (server.connect() for _ in range(2))
    for connection in (first, second):
        await connection.send(b"GET")
        connection.waits(100_000)
        await server.pass_time(2)
    server.connect()
    assert first.is_open  # its client may be about to read
    await server.pass_time(2)
    server.connect()
    assert [connection.transport.is_aborted for connection in (first, second)] == [True, False]


async def test_if_too_many_bytes_wait_in_memory_the_slowest_readers_are_closed() -> None:
    server = Server(OK, unsent_max=250_000)
    first, second, third, fourth = (server.connect() for _ in range(4))
    for connection in (first, second, third):
        connection.waits(100_000)
    assert first.transport.is_aborted
    # A client that has read begins to wait anew.
    second.protocol.resume_writing()
    for connection in (second, fourth):
        connection.waits(100_000)
    assert [connection.transport.is_aborted for connection in (second, third, fourth)] == [False, True, False]


async def test_for_a_client_that_reads_nothing_one_piece_of_a_stream_is_kept_and_counts_as_a_whole() -> None:
    made: list[int] = []

    async def stream(_scope: object, _receive: object, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(3):
            made.append(number)
            await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})

    server = Server(stream, unsent_max=150_000)
    first, second = (server.connect() for _ in range(2))
    first.transport.is_stalled = second.transport.is_stalled = True
    await first.send(GET)
    assert made == [0]
    await second.send(GET)
    assert [connection.transport.is_aborted for connection in (first, second)] == [True, False]
    made.clear()
    second.transport.is_stalled = False
    second.protocol.resume_writing()
    await settle()
    assert made == [1, 2]


async def test_a_connection_that_was_just_made_is_not_closed_for_another() -> None:
    server = Server(echo, limit=2)
    fresh = [server.connect() for _ in range(2)]
    server.connect()
    assert all(connection.is_open for connection in fresh)


async def test_far_above_the_limit_connections_are_dropped_without_an_answer() -> None:
    server = Server(echo, limit=8)
    connections = [server.connect() for _ in range(20)]
    assert [connection.transport.is_aborted for connection in connections] == [False] * 10 + [True] * 10


async def test_a_closed_connection_makes_room() -> None:
    server = Server(OK, limit=1)
    for _ in range(3):
        connection = server.connect()
        await connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert connection.statuses() == [200]


async def test_the_log_says_once_a_minute_that_the_limit_is_reached(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(echo, limit=1)
    with caplog.at_level(logging.ERROR, "dossier.server"):
        for _ in range(5):
            server.connect()
        assert [record.getMessage() for record in caplog.records] == [
            "the limit of 1 connections is reached; connections that were refused or closed for that: 1"
        ]
        await server.pass_time(1)
        server.connections.advance(LOG_SECONDS)
        for _ in range(2):
            server.connect()
        assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ("soft", "limit"),
    [(400, 100), (1024, 308), (20_000, limits.CONNECTIONS), (resource.RLIM_INFINITY, limits.CONNECTIONS), (50, 1)],
)
def test_the_limit_allows_3_descriptors_per_connection(monkeypatch: pytest.MonkeyPatch, soft: int, limit: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    assert limits.connection_limit() == limit


NEEDED = 3 * limits.CONNECTIONS + limits.RESERVED_DESCRIPTORS


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "warns"),
    [
        (1024, 524_288, NEEDED, False),
        (1024, resource.RLIM_INFINITY, NEEDED, False),
        (256, 400, 400, True),
        (400, 400, 400, True),
        (20_000, 20_000, None, False),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, False),
    ],
)
def test_the_limit_of_descriptors_is_raised_as_far_as_needed(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    soft: int,
    hard: int,
    raised: int | None,
    warns: bool,
) -> None:
    now = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: now[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: now.append(both))
    with caplog.at_level(logging.WARNING, "dossier.server"):
        limits.raise_descriptor_limit()
    assert now[1:] == ([] if raised is None else [(raised, hard)])
    assert bool(caplog.records) is warns
