"""A request past its deadline is cancelled and answered: 408 if the client caused the delay, 503 if the server did."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http import in_flight
from adapters.http.gate import Gate
from adapters.http.in_flight import DeadlineMonitor, InFlightRequest, in_flight_of
from domain.use_cases import UseCases
from tests.http.conftest import PLANS, Api
from tests.memory import memory_ports


async def response_of(app: ASGIApp) -> tuple[int, dict[str, Any], dict[bytes, bytes]]:
    """Return the status, the error and the headers that a gate around `app` sends."""
    ports = memory_ports()
    admit = UseCases.of(ports, PLANS).admit_request
    sent: list[Any] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    address = {"path": "/v1/documents", "raw_path": b"/v1/documents", "client": ("127.0.0.1", 1)}
    scope = cast("Scope", {"type": "http", "method": "POST", "headers": [], **address})
    # The gate runs in a task of its own, as on a server, so that the monitor can cancel it.
    gate = Gate(app, admit, ports.metrics, ports.now, ports.new_id)
    await asyncio.create_task(_call(gate, scope, receive, send))
    start, body = sent
    return start["status"], json.loads(body["body"])["error"], dict(start["headers"])


async def _call(app: ASGIApp | Gate, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


async def slow_server(scope: Scope, receive: Receive, send: Send) -> None:
    in_flight_of(scope).deadline = 0.0
    await asyncio.Event().wait()


async def test_a_request_that_the_server_does_not_finish_in_time_is_503() -> None:
    status, error, headers = await response_of(slow_server)
    assert status == 503
    assert error["code"] == "unavailable"
    assert headers[b"retry-after"] == b"1"
    assert headers[b"x-request-id"].decode() == error["request_id"]


@pytest.mark.parametrize("is_upload", [False, True], ids=["JSON", "upload"])
async def test_a_body_that_is_too_slow_is_408(api: Api, monkeypatch: pytest.MonkeyPatch, *, is_upload: bool) -> None:
    method, url, headers = "POST", "/v1/documents", {"Content-Type": "application/json"}
    if is_upload:
        signed = await api.signed_upload()
        method, url, headers = "PUT", signed["upload_url"], signed["headers"]
    monkeypatch.setattr(in_flight, "BODY_SECONDS", 0.0)

    async def never_complete() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    request = api.http.request(method, url, headers=headers, content=never_complete())
    # The application runs in a task of its own, as on a server, so that the monitor can cancel it.
    slow: Any = asyncio.create_task(cast("Any", request))
    assert (await api.http.get("/v1/usage")).status_code == 200
    answer = await slow
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "request_timeout")


async def test_the_time_limit_of_the_server_pauses_while_the_client_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(in_flight, "monotonic", lambda: now[0])
    request = InFlightRequest("req_1", None)
    request.start_deadline()
    assert request.deadline == 1007
    now[0] = 1005
    request.await_client()
    assert request.deadline == 1015
    now[0] = 1014
    request.resume()
    assert request.deadline == 1016


async def test_only_the_request_past_its_deadline_is_cancelled() -> None:
    monitor = DeadlineMonitor()
    tasks = [asyncio.create_task(asyncio.Event().wait()) for _ in range(2)]
    for task in tasks:
        request = InFlightRequest("req_1", task)
        request.start_deadline()
        monitor.add(request)
    request.deadline = 0.0
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
    assert request.timed_out
    assert not tasks[0].done()
    tasks[0].cancel()


async def test_an_error_after_the_response_has_started_sends_no_second_response() -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        await response_of(breaks)
