"""Responses and request headers in the form of ASGI, as bytes.

Litestar's own Response and Headers support more than is needed here, and cost as much CPU as the use case itself.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

import msgspec
from litestar.types import Receive, Scope, Send

NO_STORE = "no-store"
"""The Cache-Control of every response. A browser that stored a response would send If-None-Match by itself. After a
304, it would give the page the stored response with an old signed URL."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with a JSON body or without a body. It is an ASGI application that sends itself."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  as ASGI calls it
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        headers.append((b"cache-control", NO_STORE.encode()))
        if self.body:
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def json_answer(success: msgspec.Struct, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a successful response with the body `success`, which includes the envelope."""
    return Answer(status, msgspec.json.encode(success), headers or {})


def empty_answer(headers: Mapping[str, str] | None = None) -> Answer:
    """Return a successful response without a body: 204 (RFC 9110 15.3.5)."""
    return Answer(204, b"", headers or {})


def replay_headers(*, replayed: bool) -> Mapping[str, str]:
    """Return the header that marks a response as that of an earlier request with the same Idempotency-Key."""
    return {"Idempotent-Replayed": "true"} if replayed else {}


def not_modified(headers: Mapping[str, str]) -> Answer:
    """Return a 304. It has no body, and those headers of the 200 that a cache may update (RFC 9110 15.4.5)."""
    return Answer(304, b"", headers)


def headers_named(scope: Scope, names: Set[bytes]) -> dict[bytes, list[bytes]]:
    """Return the values of these request headers that were sent, by name. The names are in lower case.

    Every create runs this, and nearly every request has none of them: one pass over the headers finds that out.
    """
    found: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        if name in names:
            found.setdefault(name, []).append(value)
    return found


def header_values(scope: Scope, name: bytes) -> list[bytes]:
    """Return every value of a request header as it was sent; `name` is in lower case."""
    return [value for key, value in scope["headers"] if key == name]
