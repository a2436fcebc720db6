"""The application: routes on Litestar, the error table behind them, the gate around them. Knows no settings."""

import inspect

from litestar import Litestar, Response
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp

from adapters.http.api_keys import api_keys_router
from adapters.http.body import AnyRequest
from adapters.http.docs import docs_handlers
from adapters.http.documents import documents_router
from adapters.http.entity_links import entity_documents_handlers, entity_links_router
from adapters.http.errors import answer, to_response
from adapters.http.folders import folders_router, tags_handler
from adapters.http.gate import Gate
from adapters.http.health import health_router, metrics_handler
from adapters.http.in_flight import in_flight_of
from adapters.http.signed_urls import links_router
from adapters.http.usage import usage_handler
from domain.use_cases import UseCases
from ports import Ports


def build(use_cases: UseCases, ports: Ports) -> ASGIApp:
    """Return the ASGI application of these use cases. From `ports` it takes what is not the business of a use case."""
    application = Litestar(
        route_handlers=[
            documents_router(use_cases),
            entity_links_router(use_cases),
            *entity_documents_handlers(use_cases),
            folders_router(use_cases),
            tags_handler(use_cases),
            api_keys_router(use_cases),
            usage_handler(use_cases),
            health_router(ports),
            metrics_handler(ports.metrics),
            *docs_handlers(),
            *([links_router(ports.served_storage, ports.now)] if ports.served_storage else []),
        ],
        exception_handlers={Exception: _answer},
        # Ours is made from the same routes: openapi.py says why.
        openapi_config=None,
        logging_config=None,
        # Every body is read by body.py, which bounds it; uploads have a bound of their own.
        request_max_body_size=None,
    )
    _tell_all_methods(application)
    return Gate(application, use_cases.admit_request, ports.metrics, ports.now, ports.new_id)


def _tell_all_methods(application: Litestar) -> None:
    """Let OPTIONS tell every method of a path: Litestar makes the route anew for each handler of a path, but keeps the
    answer that it made for the first, which asks that first route."""
    for route in application.routes:
        if isinstance(route, HTTPRoute):
            options, _ = route.route_handler_map["OPTIONS"]
            first = inspect.getclosurevars(options.fn).nonlocals["self"]
            first.methods = route.methods


def _answer(request: AnyRequest, error: Exception) -> Response[bytes]:
    return to_response(answer(error, in_flight_of(request.scope).request_id))
