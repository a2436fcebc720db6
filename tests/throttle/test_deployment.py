"""A deployment whose settings name a Valkey counts in it, and serves without it."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import Settings
from app.wiring import open_service
from domain.access import Permission
from domain.rate_limits import Plan
from tests.http.conftest import client_of
from tests.valkey import open_valkey


@pytest.mark.parametrize(("workers", "shares", "limit"), [(4, "", "25"), (4, "10", "10"), (1, "", "100")])
async def test_without_its_valkey_a_process_is_degraded_applies_its_share_and_counts_its_fallbacks(
    tmp_path: Path, database_url: str, workers: int, shares: str, limit: str
) -> None:
    async with open_valkey() as valkey:
        environ = {
            "DOSSIER_DATA_DIR": str(tmp_path),
            "DOSSIER_DATABASE_URL": database_url,
            "DOSSIER_RATE_LIMIT_URL": valkey.url,
            "DOSSIER_RATE_LIMIT_SHARES": shares,
            "DOSSIER_PLAN_STARTER": "100/day",
        }
        settings = replace(Settings.read(environ), workers=workers)
        async with open_service(settings) as service:
            await service.ports.storage.prepare()
            workspace = await service.use_cases.create_workspace("Acme", Plan.STARTER, 1000)
            minted = await service.use_cases.mint_api_key(workspace=workspace.id, name="k", granted=list(Permission))
            headers = {"Authorization": f"Bearer {minted.secret}"}
            async with client_of(service.ports, headers, settings.plans) as http:

                async def limit_now() -> str:
                    return str((await http.get("/v1/usage")).headers["X-RateLimit-Limit"])

                async def health() -> tuple[str, str]:
                    data = (await http.get("/health/ready")).json()["data"]
                    return data["status"], data["checks"]["rate limit"]

                assert await health() == ("ready", "ok")
                assert await limit_now() == "100"
                await valkey.kill()
                assert [await limit_now() for _ in range(3)] == [limit] * 3
                assert b"dossier_rate_limit_fallback_total 3.0" in service.ports.metrics.exposition({})[0]
                assert await health() == ("degraded", "unavailable")
