"""The counters of the service that operators read."""

from typing import Protocol


class Metrics(Protocol):
    """Counters. Every request updates them, so counting must cost next to nothing."""

    def count_answer(self, method: str, route: str | None, status: int) -> None:
        """Count a request by its response. `route` is the template of the path, with names for ids; `None` if no route
        matched."""
        ...

    def count_refusal(self) -> None:
        """Count a request that a rate limit refused."""
        ...

    def count_unknown_key(self) -> None:
        """Count a request whose API key is malformed, unknown, expired or revoked."""
        ...

    def exposition(self) -> tuple[bytes, str]:
        """Return all counters in Prometheus' text format, and its content type. May be called from any thread."""
        ...
