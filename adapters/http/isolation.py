"""The headers that keep a browser from running, framing or guessing the type of a response."""

from collections.abc import Iterable

NOSNIFF = (b"x-content-type-options", b"nosniff")
"""A browser believes the Content-Type (https://fetch.spec.whatwg.org/#x-content-type-options-header)."""

NOTHING_RUNS = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""A response that a browser shows as a page loads and runs nothing, and no page shows it in a frame (CSP 3)."""


def isolation_headers(sent: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers to add to a response that has these. Pages and downloads have policies of their own."""
    names = {name for name, _ in sent}
    return [header for header in (NOSNIFF, NOTHING_RUNS) if header[0] not in names]
