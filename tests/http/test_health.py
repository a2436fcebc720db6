"""Health: whether the process runs, and whether it can answer, wholly or without what it can do without."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Never

import httpx
import pytest

from adapters.http import health
from adapters.http.asgi import build
from ports.system import Probe, Unavailable
from tests.http.conftest import URL, Api


async def away() -> Never:
    raise Unavailable("canary")


async def hangs() -> None:
    await asyncio.Event().wait()


async def ready(api: Api, needed: Mapping[str, Probe], optional: Mapping[str, Probe]) -> httpx.Response:
    """What the service answers while its dependencies are as these probes say."""
    ports = replace(api.service.ports, probes=needed, optional_probes=optional)
    transport = httpx.ASGITransport(app=build(api.service.use_cases, ports))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
        assert (await http.get("/health/live")).status_code == 200
        return await http.get("/health/ready")


async def test_live_needs_no_key_and_no_dependency(api: Api) -> None:
    answer = await api.http.get("/health/live", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "live")
    assert "X-RateLimit-Limit" not in answer.headers


async def test_ready_names_what_is_there(api: Api) -> None:
    works = api.service.ports.storage.probe
    assert (await api.http.get("/health/ready")).json() == {"data": {"status": "ready", "checks": {"storage": "ok"}}}
    answer = await ready(api, {"storage": works}, {"rate limit": works})
    assert answer.json() == {"data": {"status": "ready", "checks": {"storage": "ok", "rate limit": "ok"}}}


async def test_without_a_dependency_that_every_request_needs_it_is_503_naming_all_that_is_away(api: Api) -> None:
    answer = await ready(api, {"database": away, "storage": api.service.ports.storage.probe}, {"rate limit": away})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert answer.json()["error"]["details"] == {
        "checks": {"database": "unavailable", "storage": "ok", "rate limit": "unavailable"}
    }
    assert "canary" not in answer.text


async def test_without_one_that_requests_can_do_without_it_is_degraded_and_still_200(api: Api) -> None:
    answer = await ready(api, {"storage": api.service.ports.storage.probe}, {"rate limit": away})
    assert answer.status_code == 200
    assert answer.json() == {"data": {"status": "degraded", "checks": {"storage": "ok", "rate limit": "unavailable"}}}


async def test_a_dependency_that_does_not_answer_is_not_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0)
    assert (await ready(api, {"database": hangs}, {})).status_code == 503
    degraded = await ready(api, {"storage": api.service.ports.storage.probe}, {"rate limit": hangs})
    assert degraded.json()["data"]["checks"] == {"storage": "ok", "rate limit": "unavailable"}
