"""What goes back to a client, and the headers that came from it: both as ASGI has them, as bytes.

Litestar's own Response and Headers do more than is needed here, and take as long as the use case itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from litestar.types import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with a JSON body, or none, ready to send: an ASGI application."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  as ASGI calls it
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        if self.body:
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def json_answer(success: msgspec.Struct, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A success, in the envelope that it is given in."""
    return Answer(status, msgspec.json.encode(success), headers or {})


def empty_answer(headers: Mapping[str, str] | None = None) -> Answer:
    """A success of which nothing is to be told (RFC 9110 15.3.5)."""
    return Answer(204, b"", headers or {})


REPLAYED = {"Idempotent-Replayed": "true"}
"""On a success that an earlier request with the same Idempotency-Key had already."""


def entity_tag(revision: int) -> dict[str, str]:
    """The header that names the state of a record."""
    return {"ETag": f'"{revision}"'}


def header_values(scope: Scope, name: bytes) -> list[bytes]:
    """Every value of a header, as it was sent; `name` in lower case."""
    return [value for key, value in scope["headers"] if key == name]
