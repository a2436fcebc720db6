"""A deployment whose settings name a Valkey counts in it, and serves without it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from adapters.http.asgi import build
from app.settings import Settings
from app.wiring import Service, open_service
from domain.access import Permission
from domain.rate_limits import Plan
from tests.valkey import ValkeyServer, open_valkey


def settings(tmp_path: Path, database_url: str, valkey: ValkeyServer, **more: str) -> Settings:
    environ = {"DATA_DIR": str(tmp_path), "DATABASE_URL": database_url, "RATE_LIMIT_URL": valkey.url, **more}
    return Settings.read({f"DOSSIER_{name}": value for name, value in environ.items()})


@asynccontextmanager
async def serving(configured: Settings) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    """One process, and a client whose API key is of plan starter."""
    async with open_service(configured) as service:
        await service.ports.storage.prepare()
        workspace = await service.use_cases.create_workspace("Acme", Plan.STARTER, 1000)
        minted = await service.use_cases.mint_api_key(workspace=workspace.id, name="k", granted=list(Permission))
        transport = httpx.ASGITransport(app=build(service.use_cases, service.ports))  # type: ignore[arg-type]
        headers = {"Authorization": f"Bearer {minted.secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers) as http:
            yield service, http


@pytest.mark.parametrize(("workers", "shares", "limit"), [(4, None, "25"), (4, "10", "10"), (1, None, "100")])
async def test_without_its_valkey_a_process_is_degraded_applies_its_share_and_counts_its_fallbacks(
    tmp_path: Path, database_url: str, workers: int, shares: str | None, limit: str
) -> None:
    more = {} if shares is None else {"RATE_LIMIT_SHARES": shares}
    async with open_valkey() as valkey:
        configured = replace(settings(tmp_path, database_url, valkey, PLAN_STARTER="100/day", **more), workers=workers)
        async with serving(configured) as (service, http):

            async def health() -> tuple[int, str, dict[str, str]]:
                response = await http.get("/health/ready")
                data = response.json()["data"]
                return response.status_code, data["status"], data["checks"]

            checks = {"database": "ok", "storage": "ok", "rate limit": "ok"}
            assert await health() == (200, "ready", checks)
            assert (await http.get("/v1/usage")).headers["X-RateLimit-Limit"] == "100"
            await valkey.kill()
            limits = [(await http.get("/v1/usage")).headers["X-RateLimit-Limit"] for _ in range(3)]
            assert limits == [limit] * 3
            assert b"dossier_rate_limit_fallback_total 3.0" in service.ports.metrics.exposition()[0]
            assert await health() == (200, "degraded", {**checks, "rate limit": "unavailable"})
