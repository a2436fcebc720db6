"""The ASGI application: the routes on Litestar, the error table behind them, and the gate around them."""

import inspect

from litestar import Litestar, Response
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp

from adapters.http import api_keys, docs, documents, entity_links, folders, health, signed_urls, usage
from adapters.http.addresses import ExactAddresses
from adapters.http.cors import Cors, answering_preflights
from adapters.http.errors import answer, to_response
from adapters.http.gate import Gate
from adapters.http.guards import require_permission
from adapters.http.in_flight import in_flight_of
from adapters.http.request import AnyRequest
from adapters.http.site import NOWHERE, Site
from domain.use_cases import UseCases
from ports import Ports


def build(use_cases: UseCases, ports: Ports, site: Site = NOWHERE) -> ASGIApp:
    """Return the ASGI application of these use cases.

    `ports` serve the parts without a use case: signed URLs, probes, metrics, request ids and time. `site` is the
    address at which clients reach the application.
    """
    application = Litestar(
        route_handlers=[
            *documents.routes(),
            *entity_links.routes(),
            *folders.routes(),
            *api_keys.routes(),
            *usage.routes(),
            *health.routes(),
            *docs.routes(),
            *(signed_urls.routes() if ports.served_storage else ()),
        ],
        guards=[require_permission],
        exception_handlers={Exception: _error_response},
        # Litestar's OpenAPI document is not used. The adapter builds its own from the same routes;
        # description/openapi.py gives the reason.
        openapi_config=None,
        logging_config=None,
        # Litestar's limit is not used: body.py limits the size of every body, and uploads have a larger limit.
        request_max_body_size=None,
    )
    application.state.update(use_cases=use_cases, ports=ports, site=site)
    _list_all_methods(application)
    cors = Cors(site.cors_origins)
    app = answering_preflights(ExactAddresses(application), cors)
    return Gate(app, use_cases.admit_request, ports.metrics, ports.now, ports.new_id, cors)


def _list_all_methods(application: Litestar) -> None:
    """Make OPTIONS list every method of a path.

    Litestar makes a new route of a path for each handler, but keeps the OPTIONS handler of the first route. That
    handler lists only the methods of the first route.
    """
    for route in application.routes:
        if isinstance(route, HTTPRoute):
            options, _ = route.route_handler_map["OPTIONS"]
            first = inspect.getclosurevars(options.fn).nonlocals["self"]
            first.methods = route.methods


def _error_response(request: AnyRequest, error: Exception) -> Response[bytes]:
    return to_response(answer(error, in_flight_of(request.scope).request_id))
