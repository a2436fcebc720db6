"""For operators and their probes: is the process alive, can it work, what has it done."""

import asyncio
import logging
from typing import Literal

import msgspec
from litestar import Response, Router, get
from litestar.handlers import HTTPRouteHandler

from adapters.http.answer import Answer
from adapters.http.body import AnyRequest
from adapters.http.errors import unavailable
from adapters.http.in_flight import in_flight_of
from adapters.http.openapi import described
from adapters.http.wire.envelope import Envelope
from adapters.http.wire.operations import Health
from ports import Ports
from ports.metrics import Metrics
from ports.system import Probe, Unavailable

log = logging.getLogger("dossier.http")

PROBE_SECONDS = 2


def health_router(ports: Ports) -> Router:
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
        """Asks every dependency: send requests elsewhere while this fails. `checks` says which is away. The status is
        `degraded` while requests are answered without one that they can do without."""
        probes = {**ports.probes, **ports.optional_probes}
        answers = await asyncio.gather(*(_check(name, probe) for name, probe in probes.items()))
        checks = dict(zip(probes, answers, strict=True))
        away = {name for name, state in checks.items() if state != "ok"}
        if away & ports.probes.keys():
            return unavailable(in_flight_of(request.scope).request_id, {"checks": checks})
        return _healthy("degraded" if away else "ready", checks)

    return Router("/health", route_handlers=[live, ready])


def metrics_handler(metrics: Metrics) -> HTTPRouteHandler:
    """`/metrics`, which is no part of the API and so not of its description."""

    # In a thread: with several processes, files are read.
    @get("/metrics", sync_to_thread=True)
    def exposition() -> Response[bytes]:
        content, content_type = metrics.exposition()
        # As a header: to a media type of text, the framework adds a charset of its own.
        return Response(content, headers={"Content-Type": content_type})

    return exposition


async def _check(name: str, probe: Probe) -> str:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except (Unavailable, TimeoutError) as error:
        log.error("unavailable: %s: %s %s", name, type(error).__name__, error)
        return "unavailable"
    return "ok"


def _healthy(status: Literal["live", "ready", "degraded"], checks: dict[str, str]) -> Answer:
    return Answer(200, msgspec.json.encode(Envelope(Health(status, checks))))
