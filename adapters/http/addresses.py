"""Each path has one spelling; every other spelling is an unknown path.

The router finds `/metrics` under `//metrics`, `/metrics/` and `/%6detrics` as well. A proxy's rule for `/metrics` would
miss those. So the path as the client sent it is compared with the templates of all routes before the router runs. Only
the id of an entity may be percent-encoded.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from adapters.http.answer import Answer
from adapters.http.errors import answer
from adapters.http.in_flight import in_flight_of
from domain.errors import NotFound


def sent_path(scope: Scope) -> bytes:
    """Return the path as the client sent it, without the query."""
    # In ASGI, `raw_path` is optional.
    return scope.get("raw_path") or scope["path"].encode()


def sent_segment(scope: Scope, index: int) -> str:
    """Return one segment of the path, decoded. It may contain slashes that the client has percent-encoded."""
    return unquote(sent_path(scope).split(b"/")[index].decode("latin-1"))


class ExactAddresses:
    """Passes on the requests whose path is spelt exactly as a route, and answers all others with 404.

    It also answers `OPTIONS *`, which asks about the server as a whole (RFC 9110 9.3.7).
    """

    def __init__(self, application: Litestar) -> None:
        self._app: ASGIApp = application
        templates = {route.path for route in application.routes}
        self._pattern = _pattern(templates)
        self._without_parameters = {template for template in templates if "{" not in template}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or self._is_known(scope):
            if b"%2" in sent_path(scope):
                scope["path"] = _with_one_segment_each(scope)
            await self._app(scope, receive, send)
        elif sent_path(scope) == b"*":
            await Answer(204, b"")(scope, receive, send)
        else:
            await answer(NotFound(), in_flight_of(scope).request_id)(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        sent = sent_path(scope)
        if not self._pattern.fullmatch(sent):
            return False
        # `/v1/documents/upload%2Durl` looks like the id of a document, but the router would find another route.
        return b"%" not in sent or scope["path"] not in self._without_parameters


def _with_one_segment_each(scope: Scope) -> str:
    """Return the path for the router. An encoded slash in a parameter, such as an entity id, separates no segments."""
    sent = sent_path(scope)
    if sent.startswith(b"/storage/"):
        # Clients encode the path of a signed URL in different ways. Its signature covers the decoded path.
        return scope["path"]
    return "/".join(unquote(segment).replace("/", "_") for segment in sent.decode("latin-1").split("/"))


def _pattern(templates: Iterable[str]) -> re.Pattern[bytes]:
    """Return a pattern that matches exactly the paths of these templates, in the spelling of the template."""
    paths = ("/".join(map(_of_segment, template.split("/"))) for template in templates)
    return re.compile("|".join(paths).encode())


def _of_segment(segment: str) -> str:
    if not segment.startswith("{"):
        return re.escape(segment)
    if segment.endswith(":path}"):
        return ".+"
    # Only the values of this parameter may be percent-encoded.
    return "[^/]+" if segment == "{entity_id:str}" else "[^/%]+"
