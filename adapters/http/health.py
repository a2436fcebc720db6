"""For operators and their probes: is the process alive, can it work."""

import asyncio
import logging

import msgspec
from litestar import Router, get

from adapters.http.answer import Answer
from adapters.http.body import AnyRequest
from adapters.http.call import call_of
from adapters.http.errors import unavailable
from adapters.http.openapi import described
from adapters.http.services import Probe, Services
from adapters.http.wire import Envelope, Health
from ports.system import Unavailable

log = logging.getLogger("dossier.http")

_PROBE_SECONDS = 2


def health_router(services: Services) -> Router:
    """`/health/live` and `/health/ready`."""

    @get(
        "/live",
        opt=described(
            summary="Whether the process runs", status=200, success=Envelope[Health], keyless=True, tag="Operations"
        ),
    )
    async def live() -> Answer:
        """Answers whatever the dependencies do: restart the process when this fails."""
        return _healthy("live", {})

    @get(
        "/ready",
        opt=described(
            summary="Whether requests can be answered",
            status=200,
            success=Envelope[Health],
            keyless=True,
            tag="Operations",
        ),
    )
    async def ready(request: AnyRequest) -> Answer:
        """Asks every dependency: send requests elsewhere while this fails. `checks` says which is away."""
        answers = await asyncio.gather(*(_check(name, probe) for name, probe in services.probes.items()))
        checks = dict(zip(services.probes, answers, strict=True))
        if all(state == "ok" for state in answers):
            return _healthy("ready", checks)
        return unavailable(call_of(request.scope).request_id, {"checks": checks})

    return Router("/health", route_handlers=[live, ready])


async def _check(name: str, probe: Probe) -> str:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await probe()
    except (Unavailable, TimeoutError) as error:
        log.error("not ready: %s: %s %s", name, type(error).__name__, error)
        return "unavailable"
    return "ok"


def _healthy(status: str, checks: dict[str, str]) -> Answer:
    return Answer(200, msgspec.json.encode(Envelope(Health(status, checks))))
