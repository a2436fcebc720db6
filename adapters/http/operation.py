"""An operation of the API: a Litestar route with the use case that it runs.

Each module of operations begins with `routes()`, the table of its operations. Their handlers follow below the table.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from litestar import Request
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Method, Receive, Scope, Send

from adapters.http.answer import Answer
from adapters.http.request import AnyRequest, caller_of
from domain.access import Permission

Json = dict[str, Any]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
"""The media type of JSON Merge Patch (RFC 7396)."""

_GET = (HttpMethod.GET, HttpMethod.HEAD)


def readable(path: str, **options: Any) -> HTTPRouteHandler:
    """Return a route for GET and HEAD that is not an operation of the API."""
    return HTTPRouteHandler(path, http_method=_GET, status_code=200, **options)


class UseCase(Protocol):
    """A use case of the API. Its docstring is the description of the operation."""

    permission: Permission


class Operation(HTTPRouteHandler):
    """One row of a route table: method, path, handler, the use case that the handler runs, and what a client may send.

    - The `permission` of the use case is required before anything else of the request is read.
    - Each field of `query` is a query parameter. If the field is a list, the parameter may be repeated.
    - `media_types` are those of the body; POST and PATCH have one. `accept_patch` are those of a PATCH.
    - An operation that `is_conditional` evaluates preconditions (conditional.py).
    - The name of the handler is the `operationId` in the OpenAPI document, unless `operation_id` is given.
    """

    __slots__ = ("accept_patch", "is_conditional", "media_types", "query_parameters", "use_case")

    def __init__(
        self,
        method: Method,
        path: str,
        handler: Callable[..., Awaitable[Answer]],
        use_case: type[UseCase],
        *,
        query: type[msgspec.Struct] | None = None,
        media_types: Sequence[str] = (JSON,),
        is_conditional: bool = False,
        operation_id: str | None = None,
        opt: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            path,
            # RFC 9110 9.1: HEAD works wherever GET does. The gate sends no body.
            http_method=_GET if method == "GET" else method,
            operation_id=operation_id or handler.__name__,
            opt=opt,
            # This status is never sent, because an Answer has its own. It replaces the default of DELETE, 204, with
            # which Litestar refuses a handler that returns a body.
            status_code=200,
            middleware=[self._answering],
        )
        self.use_case = use_case
        self.query_parameters: Mapping[str, Json] = {} if query is None else _schemas(query)
        self.media_types = media_types if method in ("POST", "PATCH") else ()
        self.accept_patch = media_types if method == "PATCH" else ()
        self.is_conditional = is_conditional
        self(handler)

    def _answering(self, app: ASGIApp) -> ASGIApp:  # noqa: ARG002  as Litestar calls a middleware
        """Return a middleware that answers each request.

        It does not pass the request on to `app`, by which Litestar would read the handler's arguments, call it and
        convert its result: that takes 12 µs of a create and 15 of a read, and an Operation needs none of it.
        """
        return self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: AnyRequest = Request(scope, receive, send)
        caller_of(request).require(self.use_case.permission)
        answer: Answer = await self.fn(request, **scope["path_params"])
        await answer(scope, receive, send)


def _schemas(query: type[msgspec.Struct]) -> Mapping[str, Json]:
    """Return the JSON schema of each field, with the member `required: true` if the field has no default."""
    schema = msgspec.json.schema(query)["$defs"][query.__name__]
    required = {name: {"required": True} for name in schema["required"]}
    return {name: {**field, **required.get(name, {})} for name, field in schema["properties"].items()}
