"""The end of connections when the server shuts down."""

import asyncio

import pytest

from app.server import first_requests
from app.server.first_requests import FirstRequestProtocol

from .driven import Driven, Server, settle
from .test_exchange import GET, OK, post


@pytest.fixture
async def connection() -> Driven:
    return Server(OK, protocol=FirstRequestProtocol).connect()


async def test_a_connection_accepted_before_a_shutdown_is_answered_and_closed(connection: Driven) -> None:
    connection.protocol.shutdown()
    await connection.send(GET)
    (response,) = connection.responses()
    assert response.headers["connection"] == "close"
    assert connection.transport.is_closed


async def test_a_silent_connection_delays_no_shutdown(connection: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_requests, "FIRST_REQUEST_SECONDS", 0.0)
    connection.protocol.shutdown()
    await asyncio.sleep(0.001)
    await settle()
    assert connection.transport.is_closed
    assert connection.transport.sent == b""


async def test_a_request_in_progress_is_answered_and_its_connection_closed(connection: Driven) -> None:
    connection.transport.deliver(GET)
    connection.protocol.shutdown()
    await settle()
    (response,) = connection.responses()
    assert response.headers["connection"] == "close"
    assert connection.transport.is_closed


@pytest.mark.parametrize("sent", [GET, post(b"Content-Length: 38")], ids=["idle", "with the rest of an answered body"])
async def test_an_answered_connection_does_not_delay_a_shutdown(connection: Driven, sent: bytes) -> None:
    await connection.send(sent)
    connection.protocol.shutdown()
    assert connection.transport.is_closed
    assert connection.statuses() == [200]
