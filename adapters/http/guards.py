"""The only guard of the API. Litestar runs it after routing, before the handler reads anything of the request."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from adapters.http.operation import Operation
from adapters.http.request import caller_of


async def require_permission(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Check that the caller has the permission of the operation's use case.

    A use case declares its permission once, and requires it again for callers that do not come through HTTP. Routes
    that are not operations need no permission: probes, documentation, OPTIONS, and signed URLs, whose signature is
    checked.

    Raises:
        InvalidKey: the request presents no valid API key.
        InsufficientPermissions: the API key lacks the permission.
    """
    if isinstance(handler, Operation):
        caller_of(connection).require(handler.use_case.permission)
