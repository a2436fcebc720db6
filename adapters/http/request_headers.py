"""Reads the Idempotency-Key of a request."""

from adapters.http.answer import header_values
from adapters.http.request import AnyRequest


def read_idempotency_key(request: AnyRequest) -> str | None:
    """Return the Idempotency-Key of a request as the client sent it; `None` without the header.

    The use case checks it together with the body, so that one error names every mistake.
    """
    sent = header_values(request.scope, b"idempotency-key")
    return b",".join(sent).decode("latin-1") if sent else None
