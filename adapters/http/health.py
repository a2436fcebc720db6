"""Probes and metrics for operators. Probes report whether the process runs and whether it can answer requests."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Literal

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from adapters.http.answer import Answer, json_answer
from adapters.http.errors import unavailable
from adapters.http.in_flight import in_flight_of
from adapters.http.operation import readable
from adapters.http.request import AnyRequest, ports_of
from adapters.http.wire.envelope import Envelope, ErrorDetails
from adapters.http.wire.operations import DependencyState, Health
from ports.system import Probe, Unavailable

log = logging.getLogger("dossier.http")

PROBE_SECONDS = 2


def routes() -> Sequence[HTTPRouteHandler]:
    """Return the probes and `/metrics`. They need no API key, and `/metrics` is not part of the OpenAPI document."""
    return [
        readable("/health/live")(live),
        readable("/health/ready")(ready),
        readable("/metrics", include_in_schema=False)(metrics),
    ]


async def live() -> Answer:
    """Report that the process runs, without calling a dependency. If this request fails, restart the process."""
    return _health("live", {})


async def ready(request: AnyRequest) -> Answer:
    """Check every dependency. While this request fails, send other requests to another process. `checks` names the
    unavailable dependency.

    The status is `degraded` while an optional dependency is unavailable: requests are still answered.
    """
    ports = ports_of(request)
    probes = {**ports.probes, **ports.optional_probes}
    states = await asyncio.gather(*(_check(name, probe) for name, probe in probes.items()))
    checks = dict(zip(probes, states, strict=True))
    failed = {name for name, state in checks.items() if state != "ok"}
    if failed & ports.probes.keys():
        return unavailable(in_flight_of(request.scope).request_id, ErrorDetails(checks=checks))
    return _health("degraded" if failed else "ready", checks)


async def metrics(request: AnyRequest) -> Response[bytes]:
    ports = ports_of(request)
    free_bytes = await ports.disks.free_bytes()
    # This runs in a thread, because with several worker processes the metrics are read from files.
    content, content_type = await asyncio.to_thread(ports.metrics.exposition, free_bytes)
    # The Content-Type is set as a header, because Litestar adds a charset to a `media_type` of text.
    return Response(content, headers={"Content-Type": content_type})


async def _check(name: str, probe: Probe) -> DependencyState:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except (Unavailable, TimeoutError) as error:
        log.error("unavailable: %s: %s %s", name, type(error).__name__, error)
        return "unavailable"
    return "ok"


def _health(status: Literal["live", "ready", "degraded"], checks: dict[str, DependencyState]) -> Answer:
    return json_answer(Envelope(Health(status, checks)))
