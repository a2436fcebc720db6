"""Nobody waits without end: a request that takes too long is cut off and answered, by whose fault it is."""

import asyncio
import json
from time import monotonic
from typing import Any, cast

import pytest
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.call import Call, Calls, call_of
from adapters.http.gate import Gate
from domain.use_cases import UseCases
from tests.http.conftest import PLANS
from tests.memory import memory_ports


async def answer_of(app: ASGIApp, path: str = "/v1/documents") -> tuple[int, dict[str, Any], dict[bytes, bytes]]:
    """Status, error and headers of what a gate around `app` answers."""
    ports = memory_ports()
    admit = UseCases.of(ports, PLANS).admit_request
    sent: list[Any] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope = cast("Scope", {"type": "http", "method": "POST", "path": path, "headers": [], "client": ("127.0.0.1", 1)})
    # In a task of its own, as a server calls it.
    gate = Gate(app, admit, ports.metrics, ports.now, ports.new_id)
    await asyncio.create_task(_call(gate, scope, receive, send))
    start, body = sent
    return start["status"], json.loads(body["body"])["error"], dict(start["headers"])


async def _call(app: ASGIApp | Gate, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


async def late(scope: Scope, receive: Receive, send: Send) -> None:
    """Never ends, and has had its time."""
    call_of(scope).due = 0.0
    await asyncio.Event().wait()


async def late_client(scope: Scope, receive: Receive, send: Send) -> None:
    """Waits for a body that never comes, and has waited long enough."""
    call = call_of(scope)
    call.wait_for_client()
    call.due = 0.0
    await receive()


async def test_a_request_that_takes_us_too_long_is_503() -> None:
    status, error, headers = await answer_of(late)
    assert status == 503
    assert error["code"] == "unavailable"
    assert headers[b"retry-after"] == b"1"
    assert headers[b"x-request-id"].decode() == error["request_id"]


async def test_a_body_that_does_not_come_is_408() -> None:
    status, error, _ = await answer_of(late_client)
    assert status == 408
    assert error["code"] == "request_timeout"


async def test_uploads_and_downloads_may_take_their_time_but_not_between_two_pieces() -> None:
    status, _, _ = await answer_of(late_client, "/storage/x")
    assert status == 408


async def test_our_time_stands_still_while_the_client_sends() -> None:
    def left() -> float:
        return call.due - monotonic()

    call = Call("req_1", None)
    call.begin()
    assert 6 < left() <= 7
    call.due -= 5  # so long have we taken already
    call.wait_for_client()
    assert 9 < left() <= 10
    call.go_on()
    assert 1 < left() <= 2


async def test_who_has_time_is_not_cut_off_by_the_look_that_cuts_off_another() -> None:
    calls = Calls()
    waiting = [asyncio.create_task(asyncio.Event().wait()) for _ in range(2)]
    for task in waiting:
        call = Call("req_1", task)
        call.begin()
        calls.add(call)
    call.due = 0.0
    with pytest.raises(asyncio.CancelledError):
        await waiting[1]
    assert call.is_late
    assert not waiting[0].done()
    waiting[0].cancel()


async def test_half_an_answer_is_cut_off_and_no_second_one_begins() -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        await answer_of(breaks)
