"""Health: whether the process runs, and whether its dependencies answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Never

import httpx
import pytest

from adapters.http import health
from ports.system import Probe, Unavailable
from tests.http.conftest import Api, client_of


async def works() -> None:
    return None


async def unavailable() -> Never:
    raise Unavailable("canary")


async def hangs() -> None:
    await asyncio.Event().wait()


async def ready(api: Api, needed: Mapping[str, Probe], optional: Mapping[str, Probe]) -> httpx.Response:
    """Return the response of /health/ready with these probes. /health/live must not depend on them."""
    async with client_of(replace(api.service.ports, probes=needed, optional_probes=optional)) as http:
        live = await http.get("/health/live")
        assert (live.status_code, live.json()["data"]["status"]) == (200, "live")
        return await http.get("/health/ready")


PROBES: dict[str, Probe] = {"ok": works, "unavailable": unavailable}


@pytest.mark.parametrize(
    ("database", "limiter", "status"),
    [("ok", "ok", "ready"), ("ok", "unavailable", "degraded"), ("unavailable", "unavailable", None)],
)
async def test_ready_names_every_dependency_and_is_503_without_a_needed_one(
    api: Api, database: str, limiter: str, status: str | None
) -> None:
    answer = await ready(api, {"database": PROBES[database], "storage": works}, {"rate limit": PROBES[limiter]})
    checks = {"database": database, "storage": "ok", "rate limit": limiter}
    if status:
        assert (answer.status_code, answer.json()) == (200, {"data": {"status": status, "checks": checks}})
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert answer.json()["error"]["details"] == {"checks": checks}
    assert "canary" not in answer.text


async def test_a_silent_dependency_is_unavailable_after_a_timeout(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0)
    assert (await ready(api, {"database": hangs}, {})).status_code == 503
    degraded = await ready(api, {"storage": works}, {"rate limit": hangs})
    assert degraded.json()["data"]["checks"] == {"storage": "ok", "rate limit": "unavailable"}
