"""The metrics of the service, in the text format of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import os
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

# The variable is read at import, because prometheus_client reads it at import to choose where it keeps values.
_SHARED = os.environ.get("PROMETHEUS_MULTIPROC_DIR")

OTHER = "other"
"""The label value for unknown methods and unmatched routes. Clients can invent any number of these, and each would be a
permanent time series."""

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class PrometheusMetrics:
    """`Metrics` of one application.

    If `PROMETHEUS_MULTIPROC_DIR` names a directory, every process that shares it reports the sums of all processes,
    including those that have ended.
    """

    def __init__(self) -> None:
        # The default registry is not used, because it adds metrics of the single process.
        self._registry = CollectorRegistry()
        # The start time of a counter would be a second series each, and does not exist for several processes.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._requests = Counter(
            "dossier_http_requests_total",
            "Answered requests; the route is 'other' if none matched or the request did not reach it.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._refusals = Counter(
            "dossier_rate_limit_refused_total",
            "Requests that a rate limit refused.",
            registry=self._registry,
        )
        self._fallbacks = Counter(
            "dossier_rate_limit_fallback_total",
            "Requests whose rate limit was decided without the store that all processes share.",
            registry=self._registry,
        )
        self._unknown_keys = Counter(
            "dossier_keys_unknown_total",
            "Requests with an API key that is malformed, unknown, expired or revoked.",
            registry=self._registry,
        )
        # Cached, because finding a labelled counter takes three times as long as counting.
        self._by_labels: dict[tuple[str, str, int], Callable[[], None]] = {}

    def count_response(self, method: str, route: str | None, status: int) -> None:
        """Count a request by its response. `route` is the template of the path; `None` if no route matched."""
        labels = (method if method in _METHODS else OTHER, route or OTHER, status)
        count = self._by_labels.get(labels)
        if count is None:
            count = self._by_labels[labels] = self._requests.labels(*labels).inc
        count()

    def count_refusal(self) -> None:
        """Count a request that a rate limit refused."""
        self._refusals.inc()

    def count_fallback(self) -> None:
        """Count a request whose rate limit was decided without the shared store."""
        self._fallbacks.inc()

    def count_unknown_key(self) -> None:
        """Count a request whose API key is malformed, unknown, expired or revoked."""
        self._unknown_keys.inc()

    def exposition(self, free_bytes: Mapping[str, int]) -> tuple[bytes, str]:
        """Return all metrics and their content type. Reads one file per process if there are several.

        `free_bytes` is the free space of each disk, by name. May be called from any thread.
        """
        registry = self._registry
        if _SHARED is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, _SHARED)  # type: ignore[no-untyped-call]
        # The free space is measured now and is the same for all processes, so it has a registry of its own.
        measured = CollectorRegistry()
        measured.register(_FreeSpace(free_bytes))
        return generate_latest(registry) + generate_latest(measured), CONTENT_TYPE_PLAIN_0_0_4


class _FreeSpace(Collector):
    """The free space of the disks, as it was measured for this exposition."""

    def __init__(self, free_bytes: Mapping[str, int]) -> None:
        self._free_bytes = free_bytes

    def collect(self) -> Iterable[Metric]:
        free = GaugeMetricFamily(
            "dossier_disk_free_bytes", "Free space of the disks that Dossier writes to.", labels=["disk"]
        )
        for disk, size_bytes in self._free_bytes.items():
            free.add_metric([disk], size_bytes)
        return [free] if free.samples else []
