"""`/metrics`: every response is counted, under labels that do not grow with what clients send."""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from typing import Any, Never, cast

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.http.gate import Gate
from domain.rate_limits import Plan, Window
from domain.use_cases import UseCases
from tests.http.conftest import PLANS, URL, Api, client_of
from tests.http.test_deadlines import slow_server
from tests.memory import memory_ports

ULID = "01HY0000000000000000000000"
REQUESTS = "dossier_http_requests_total"
REFUSED = "dossier_rate_limit_refused_total"
UNKNOWN_KEYS = "dossier_keys_unknown_total"


async def samples(http: httpx.AsyncClient, name: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a metric by method, route and status, as far as they have those labels."""
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        tuple(sample.labels[label] for label in ("method", "route", "status") if label in sample.labels): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    }


async def test_every_response_is_counted_by_method_route_and_status(api: Api) -> None:
    document = f"/v1/documents/doc_{ULID}"
    sent = [
        ("GET", "/health/live", "/health/live", 200),
        ("HEAD", "/health/live", "/health/live", 200),
        ("GET", document, "/v1/documents/{document_id}", 404),
        ("GET", document.replace("0", "1"), "/v1/documents/{document_id}", 404),
        ("PUT", document, "other", 405),
        ("BREW", document, "other", 405),
        ("GET", f"/v1/nowhere/{ULID}", "other", 404),
        ("POST", "/v1/documents", "/v1/documents", 415),
    ]
    for method, path, _, status in sent:
        assert (await api.http.request(method, path)).status_code == status
    await api.recorded()
    uploads = [
        ("POST", "/v1/documents", "201"),
        ("POST", "/v1/documents/upload-url", "200"),
        ("PUT", "/storage/{path}", "200"),
    ]
    known = [("other" if method == "BREW" else method, route, str(status)) for method, _, route, status in sent]
    assert await samples(api.http, REQUESTS) == Counter(known + uploads)
    # A scrape is counted too, and the next scrape shows it.
    assert (await samples(api.http, REQUESTS))["GET", "/metrics", "200"] == 1


async def test_failures_and_requests_past_a_deadline_are_counted(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        async def get(self, workspace: str, document: str) -> Never:
            raise RuntimeError("canary")

    broken = replace(api.service.ports, documents=Failing())  # type: ignore[arg-type]
    ports = memory_ports()
    gate: Any = Gate(slow_server, UseCases.of(ports, PLANS).admit_request, ports.metrics, ports.now, ports.new_id)
    with caplog.at_level(logging.CRITICAL):
        async with client_of(broken, dict(api.http.headers)) as http:
            assert (await http.get(f"/v1/documents/doc_{ULID}")).status_code == 500
            assert await samples(http, REQUESTS) == {("GET", "/v1/documents/{document_id}", "500"): 1}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=gate), base_url=URL) as http:
            # The gate cancels the task of a request, so the request needs one of its own, as on a server.
            assert (await asyncio.create_task(cast("Any", http.get("/v1/documents")))).status_code == 503
    async with client_of(ports) as http:
        assert (await samples(http, REQUESTS))["GET", "other", "503"] == 1


async def test_requests_refused_by_the_rate_limit_are_counted(api: Api) -> None:
    plans = dict.fromkeys(Plan, (Window(2, 60), Window(100, 86_400)))
    async with client_of(api.service.ports, await api.key(), plans) as http:
        assert [(await http.get("/v1/nowhere")).status_code for _ in range(5)] == [404] * 2 + [429] * 3
        assert await samples(http, REFUSED) == {(): 3}
        assert await samples(http, UNKNOWN_KEYS) == {(): 0}
        # These responses are counted too, although the router did not run for them.
        assert (await samples(http, REQUESTS))["GET", "other", "429"] == 3


async def test_wrong_api_keys_are_counted_on_every_route_and_a_missing_one_is_not(api: Api) -> None:
    document = f"/v1/documents/doc_{ULID}"
    for wrong in ("Bearer wbk_wrong", "Basic dXNlcjpwYXNz", f"Bearer wbk_{'0' * 38}"):
        assert (await api.http.get(document, headers={"Authorization": wrong})).status_code == 401
    guess = {"Authorization": "Bearer wbk_wrong"}
    assert (await api.http.get("/v1/nowhere", headers=guess)).status_code == 404
    assert (await api.http.get("/metrics", headers=guess)).status_code == 200  # an open page reads no API key
    del api.http.headers["Authorization"]
    assert (await api.http.get(document)).status_code == 401
    assert await samples(api.http, UNKNOWN_KEYS) == {(): 4}
