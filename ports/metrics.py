"""The counters of the service that operators read."""

from collections.abc import Mapping
from typing import Protocol


class Metrics(Protocol):
    """Counters. Every request updates them, so counting must cost next to nothing."""

    def count_response(self, method: str, route: str | None, status: int) -> None:
        """Count a request by its response. `route` is the template of the path, with names for ids; `None` if no route
        matched."""
        ...

    def count_refusal(self) -> None:
        """Count a request that a rate limit refused."""
        ...

    def count_unknown_key(self) -> None:
        """Count a request whose API key is malformed, unknown, expired or revoked."""
        ...

    def exposition(self, free_bytes: Mapping[str, int]) -> tuple[bytes, str]:
        """Return all counters in Prometheus' text format, and its content type. May be called from any thread.

        `free_bytes` is the free space of each disk of this machine, by name, which is shown too.
        """
        ...
