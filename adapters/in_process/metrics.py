"""What operators count, in the text format of Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/"""

import os
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

# The library chooses where it keeps values when it is imported, by this variable: so that is when we look too.
_SHARED = os.environ.get("PROMETHEUS_MULTIPROC_DIR")

OTHER = "other"
"""Stands for every method nobody has heard of, and for every address that leads nowhere: whoever calls us makes up as
many of them as they like, and each would be a time series for ever."""

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class PrometheusMetrics:
    """The counters of one application.

    Where `PROMETHEUS_MULTIPROC_DIR` names a directory, they are those of all processes that share it, also of those
    that have ended: whichever is asked answers for all.
    """

    def __init__(self) -> None:
        # One of its own: an application has its own numbers, and nothing is told of a process that is one of many.
        self._registry = CollectorRegistry()
        # When a counter began would be a second series for each; and several processes have none.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._requests = Counter(
            "dossier_http_requests_total",
            "Requests that were answered; the route 'other' is no route, or was not reached.",
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
            "Requests with a key that is malformed, unknown, expired or revoked.",
            registry=self._registry,
        )
        # Looking up a labelled counter takes three times as long as counting.
        self._by_labels: dict[tuple[str, str, int], Callable[[], None]] = {}

    def count_answer(self, method: str, route: str | None, status: int) -> None:
        """A request was answered. `route` has names where addresses have ids; `None` when there is none."""
        labels = (method if method in _METHODS else OTHER, route or OTHER, status)
        count = self._by_labels.get(labels)
        if count is None:
            count = self._by_labels[labels] = self._requests.labels(*labels).inc
        count()

    def count_refusal(self) -> None:
        """A rate limit refused a request."""
        self._refusals.inc()

    def count_fallback(self) -> None:
        """A rate limit was decided without its store."""
        self._fallbacks.inc()

    def count_unknown_key(self) -> None:
        """Somebody presented a key that opens nothing."""
        self._unknown_keys.inc()

    def exposition(self) -> tuple[bytes, str]:
        """All of it, and its content type. Reads a file a process where there are several. From any thread."""
        registry = self._registry
        if _SHARED is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, _SHARED)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4
