"""Cross-origin requests of browsers (the Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol).

Litestar's CORS support is not used: it does not add headers to the errors of the gate, so a page could not read a 429
with its Retry-After. CORS credentials are not allowed, because Dossier reads no cookies.
"""

import re
from collections.abc import Sequence

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from adapters.http.addresses import sent_path
from adapters.http.answer import header_values

EXPOSED = (
    *("ETag", "Location", "Retry-After", "X-Request-ID", "Idempotent-Replayed", "WWW-Authenticate", "Allow"),
    *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    # Only downloads have these headers.
    *("Accept-Ranges", "Content-Disposition", "Content-Range", "Last-Modified"),
)
"""The response headers that a page may read, in addition to those that the Fetch standard always permits."""

# Only the API and the signed URLs have CORS headers, and no page for operators: with `*`, any web page could read the
# metrics of an internal host.
_PATHS = (b"/v1/", b"/storage/")
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_TOKENS = re.compile(rb"[A-Za-z0-9!#$%&'*+\-.^_`|~]+(?:[ \t]*,[ \t]*[A-Za-z0-9!#$%&'*+\-.^_`|~]+)*")
# Browsers cache the response to a preflight for at most two hours.
_MAX_AGE = b"7200"

Headers = list[tuple[bytes, bytes]]


class Cors:
    """The origins whose pages may call the API and the signed URLs that Dossier serves. `*` allows every origin."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)
        self._exposed = ", ".join(EXPOSED).encode()

    def headers(self, scope: Scope) -> Headers:
        """Return the CORS headers of the response to a request, whatever its status."""
        if not self._origins or not sent_path(scope).startswith(_PATHS):
            return []
        if b"*" in self._origins:
            return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", self._exposed)]
        # This header is also sent without an Origin, so that a cache does not give that response to a page of another
        # origin.
        headers = [(b"vary", b"Origin")]
        if (origin := self._origin(scope)) is not None:
            headers += [
                (b"access-control-allow-origin", origin),
                (b"access-control-expose-headers", self._exposed),
            ]
        return headers

    def allows_preflight(self, scope: Scope) -> bool:
        """Return whether the request is a preflight of an allowed origin."""
        return (
            scope["type"] == ScopeType.HTTP
            and scope["method"] == "OPTIONS"
            and bool(header_values(scope, b"access-control-request-method"))
            and sent_path(scope).startswith(_PATHS)
            and (b"*" in self._origins or self._origin(scope) is not None)
        )

    def _origin(self, scope: Scope) -> bytes | None:
        sent = header_values(scope, b"origin")
        return sent[0] if len(sent) == 1 and sent[0] in self._origins else None


NO_PAGES = Cors(())
"""No page of another origin is allowed."""


def answering_preflights(app: ASGIApp, cors: Cors) -> ASGIApp:
    """Return an application that answers preflight requests of allowed origins, and passes all others to `app`.

    The gate around it adds the other CORS headers, as to every response.
    """

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if not cors.allows_preflight(scope):
            await app(scope, receive, send)
            return
        asked = b", ".join(header_values(scope, b"access-control-request-headers"))
        headers = [(b"access-control-allow-methods", _METHODS), (b"access-control-max-age", _MAX_AGE)]
        # Every header is allowed, because the API key protects the API, and a list of allowed headers would add
        # nothing.
        if _TOKENS.fullmatch(asked):
            headers.append((b"access-control-allow-headers", asked))
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return answered
