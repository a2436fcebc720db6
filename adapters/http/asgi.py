"""The application: routes on Litestar, the error table behind them, the gate around them. Knows no settings."""

import inspect

from litestar import Litestar, Response
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp

from adapters.http.api_keys import api_keys_router
from adapters.http.body import AnyRequest
from adapters.http.call import call_of
from adapters.http.docs import docs_handlers
from adapters.http.documents import documents_router
from adapters.http.entity_links import entity_documents_handlers, entity_links_router
from adapters.http.errors import answer, to_response
from adapters.http.folders import folders_router, tags_handler
from adapters.http.gate import Gate
from adapters.http.health import health_router, metrics_handler
from adapters.http.links import links_router
from adapters.http.services import Services
from adapters.http.usage import usage_handler


def build(services: Services) -> ASGIApp:
    """The ASGI application that answers with these services."""
    application = Litestar(
        route_handlers=[
            documents_router(services),
            entity_links_router(services),
            *entity_documents_handlers(services),
            folders_router(services),
            tags_handler(services),
            api_keys_router(services),
            usage_handler(services),
            health_router(services),
            metrics_handler(services.metrics),
            *docs_handlers(),
            *([links_router(services.links, services.now)] if services.links else []),
        ],
        exception_handlers={Exception: _answer},
        # Ours is made from the same routes: openapi.py says why.
        openapi_config=None,
        logging_config=None,
        # Every body is read by body.py, which bounds it; uploads have a bound of their own.
        request_max_body_size=None,
    )
    _tell_all_methods(application)
    return Gate(application, services.admit, services.metrics, services.now, services.new_id)


def _tell_all_methods(application: Litestar) -> None:
    """Let OPTIONS tell every method of a path: Litestar makes the route anew for each handler of a path, but keeps the
    answer that it made for the first, which asks that first route."""
    for route in application.routes:
        if isinstance(route, HTTPRoute):
            options, _ = route.route_handler_map["OPTIONS"]
            first = inspect.getclosurevars(options.fn).nonlocals["self"]
            first.methods = route.methods


def _answer(request: AnyRequest, error: Exception) -> Response[bytes]:
    return to_response(answer(error, call_of(request.scope).request_id))
