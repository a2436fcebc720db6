"""The ASGI application: the routes on Litestar, the error table behind them, and the gate around them."""

from collections.abc import Awaitable, Callable, Iterator, Sequence

from litestar import Litestar, Response
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from adapters.http import api_keys, docs, documents, entity_links, folders, health, signed_urls, usage
from adapters.http.addresses import ExactAddresses
from adapters.http.answer import Answer, empty_answer
from adapters.http.cors import Cors, answering_preflights
from adapters.http.errors import accept_patch_header, answer, to_response
from adapters.http.gate import Gate
from adapters.http.in_flight import in_flight_of
from adapters.http.operation import Operation
from adapters.http.request import AnyRequest
from adapters.http.site import NOWHERE, Site
from domain.use_cases import UseCases
from ports import Ports


def build(use_cases: UseCases, ports: Ports, site: Site = NOWHERE) -> ASGIApp:
    """Return the ASGI application of these use cases.

    `ports` serve the parts without a use case: signed URLs, probes, metrics, request ids and time. `site` is the
    address at which clients reach the application.
    """
    routes: Sequence[HTTPRouteHandler] = [
        *documents.routes(),
        *entity_links.routes(),
        *folders.routes(),
        *api_keys.routes(),
        *usage.routes(),
        *health.routes(),
        *docs.routes(),
        *(signed_urls.routes() if ports.served_storage else ()),
    ]
    application = Litestar(
        # In this order, because Litestar adds a route for OPTIONS to each path that has none yet.
        route_handlers=[*_answers_to_options(routes), *routes],
        exception_handlers={Exception: _error_response},
        # Litestar's OpenAPI document is not used. The adapter builds its own from the same routes;
        # description/openapi.py gives the reason.
        openapi_config=None,
        logging_config=None,
        # Litestar's limit is not used: body.py limits the size of every body, and uploads have a larger limit.
        request_max_body_size=None,
    )
    application.state.update(use_cases=use_cases, ports=ports, site=site)
    cors = Cors(site.cors_origins)
    app = answering_preflights(ExactAddresses(application), cors)
    return Gate(app, use_cases.admit_request, ports.metrics, ports.now, ports.new_id, cors)


def _answers_to_options(routes: Sequence[HTTPRouteHandler]) -> Iterator[HTTPRouteHandler]:
    """Yield a route for OPTIONS of each path. It names every method, and the media types that PATCH reads.

    The routes that Litestar would add name only the methods of the first route of a path.
    """
    by_path: dict[str, list[HTTPRouteHandler]] = {}
    for route in routes:
        for path in route.paths:
            by_path.setdefault(path, []).append(route)
    for path, handlers in by_path.items():
        methods = {str(method) for handler in handlers for method in handler.http_methods}
        media_types = [
            type_ for handler in handlers if isinstance(handler, Operation) for type_ in handler.accept_patch
        ]
        allowed = {"Allow": ", ".join(sorted({*methods, "OPTIONS"})), **accept_patch_header(media_types)}
        options = HTTPRouteHandler(path, http_method=HttpMethod.OPTIONS, status_code=200, include_in_schema=False)
        yield options(_sending(empty_answer(allowed)))


def _sending(sent: Answer) -> Callable[[], Awaitable[Answer]]:
    async def options() -> Answer:
        return sent

    return options


def _error_response(request: AnyRequest, error: Exception) -> Response[bytes]:
    return to_response(answer(error, in_flight_of(request.scope).request_id))
