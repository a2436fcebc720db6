"""`/metrics`: every response is counted, under names that do not grow with what clients send."""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from typing import Any, Never, cast

import httpx
import pytest
from litestar.types import Receive, Scope, Send
from prometheus_client.parser import text_string_to_metric_families

from adapters.http.asgi import build
from adapters.http.gate import Gate
from adapters.http.in_flight import in_flight_of
from app.wiring import Service
from domain.rate_limits import Plan, Window
from domain.use_cases import UseCases
from tests.http.conftest import PLANS, URL, Api
from tests.memory import memory_ports

ULID = "01HY0000000000000000000000"
REQUESTS = "dossier_http_requests_total"
REFUSED = "dossier_rate_limit_refused_total"
UNKNOWN_KEYS = "dossier_keys_unknown_total"


def client_of(service: Service, headers: dict[str, str]) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=build(service.use_cases, service.ports), raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url=URL, headers=headers)


async def numbers(http: httpx.AsyncClient, name: str) -> dict[tuple[str, ...], float]:
    """The samples of that name; those of requests by method, route and status."""
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    return {
        tuple(sample.labels[label] for label in ("method", "route", "status") if label in sample.labels): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    }


async def test_it_needs_no_key_is_not_limited_and_is_plain_text_of_prometheus(api: Api) -> None:
    answer = await api.http.get("/metrics", headers={"Authorization": "Bearer wbk_wrong"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "X-RateLimit-Limit" not in answer.headers
    assert await numbers(api.http, UNKNOWN_KEYS) == {(): 0}
    assert "/metrics" not in (await api.http.get("/openapi.json")).json()["paths"]


async def test_every_answer_is_counted_by_method_route_and_status(api: Api) -> None:
    document = f"/v1/documents/doc_{ULID}"
    sent = [
        ("GET", "/health/live", "/health/live", 200),
        ("HEAD", "/health/live", "other", 405),
        ("GET", document, "/v1/documents/{document_id}", 404),
        ("GET", document.replace("0", "1"), "/v1/documents/{document_id}", 404),
        ("PUT", document, "other", 405),
        ("GET", f"/v1/nowhere/{ULID}", "other", 404),
        ("POST", "/v1/documents", "/v1/documents", 415),
    ]
    for method, path, _, status in sent:
        assert (await api.http.request(method, path)).status_code == status
    assert (await api.record()).status_code == 201
    counted = await numbers(api.http, REQUESTS)
    uploads = [
        ("POST", "/v1/documents", "201"),
        ("POST", "/v1/documents/upload-url", "200"),
        ("PUT", "/storage/{path}", "200"),
    ]
    assert counted == Counter([(method, route, str(status)) for method, _, route, status in sent] + uploads)
    # A scrape is a request like any other, known to the next.
    assert (await numbers(api.http, REQUESTS))["GET", "/metrics", "200"] == 1


async def test_methods_that_somebody_made_up_are_counted_together(api: Api) -> None:
    for method in ("BREW", "WHEN", "PROPFIND"):
        await api.http.request(method, "/v1/documents")
    assert await numbers(api.http, REQUESTS) == {("other", "other", "405"): 3}


async def test_a_failure_of_ours_and_a_request_that_is_cut_off_are_counted(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        async def get(self, workspace: str, document: str) -> Never:
            raise RuntimeError("canary")

    ports = replace(api.service.ports, documents=Failing())  # type: ignore[arg-type]
    broken = Service(ports, UseCases.of(ports, PLANS))
    with caplog.at_level(logging.CRITICAL):
        async with client_of(broken, dict(api.http.headers)) as http:
            assert (await http.get(f"/v1/documents/doc_{ULID}")).status_code == 500
            assert await numbers(http, REQUESTS) == {("GET", "/v1/documents/{document_id}", "500"): 1}

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        in_flight_of(scope).deadline = 0.0
        await asyncio.Event().wait()

    ports = memory_ports()
    service = Service(ports, UseCases.of(ports, PLANS))
    gate: Any = Gate(late, service.use_cases.admit_request, ports.metrics, ports.now, ports.new_id)
    with caplog.at_level(logging.CRITICAL):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=gate), base_url=URL) as http:
            # In a task of its own, as a server calls it: that is what is cut off.
            assert (await asyncio.create_task(cast("Any", http.get("/v1/documents")))).status_code == 503
    async with client_of(service, {}) as http:
        assert (await numbers(http, REQUESTS))["GET", "other", "503"] == 1


async def test_what_a_rate_limit_refuses_is_counted(api: Api) -> None:
    plans = dict.fromkeys(Plan, (Window(2, 60), Window(100, 86_400)))
    limited = Service(api.service.ports, UseCases.of(api.service.ports, plans))
    async with client_of(limited, await api.key()) as http:
        assert [(await http.get("/v1/nowhere")).status_code for _ in range(5)] == [404] * 2 + [429] * 3
        assert await numbers(http, REFUSED) == {(): 3}
        assert await numbers(http, UNKNOWN_KEYS) == {(): 0}
        # Nor are they missing among the answers, though no route was reached.
        assert (await numbers(http, REQUESTS))["GET", "other", "429"] == 3


async def test_wrong_keys_are_counted_wherever_they_are_presented_and_a_missing_key_is_none(api: Api) -> None:
    document = f"/v1/documents/doc_{ULID}"
    for wrong in ("Bearer wbk_wrong", "Basic dXNlcjpwYXNz", f"Bearer wbk_{'0' * 38}"):
        assert (await api.http.get(document, headers={"Authorization": wrong})).status_code == 401
    assert (await api.http.get("/v1/nowhere", headers={"Authorization": "Bearer wbk_wrong"})).status_code == 404
    del api.http.headers["Authorization"]
    assert (await api.http.get(document)).status_code == 401
    assert await numbers(api.http, UNKNOWN_KEYS) == {(): 4}
    assert await numbers(api.http, REFUSED) == {(): 0}


async def test_a_guesser_who_is_stopped_is_counted_as_both(api: Api) -> None:
    guess = {"Authorization": "Bearer wbk_wrong"}
    statuses = [(await api.http.get("/v1/nowhere", headers=guess)).status_code for _ in range(62)]
    assert statuses == [404] * 60 + [429] * 2
    assert await numbers(api.http, UNKNOWN_KEYS) == {(): 62}
    assert await numbers(api.http, REFUSED) == {(): 2}


async def test_two_applications_of_one_process_have_numbers_of_their_own(api: Api) -> None:
    await api.http.get("/health/live")
    ports = memory_ports()
    async with client_of(Service(ports, UseCases.of(ports, PLANS)), {}) as other:
        assert await numbers(other, REQUESTS) == {}
    assert ("GET", "/health/live", "200") in await numbers(api.http, REQUESTS)
