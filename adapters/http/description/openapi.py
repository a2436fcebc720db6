"""Assembles the OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0) from the routes and their descriptions.

Litestar's generator is not used. It reads the parameters of handlers, but these handlers have only one, the request.
The rules in `domain` read bodies and queries, because they report every mistake at once.
"""

import inspect
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from adapters.http.description.described import Described
from adapters.http.description.error_examples import error_examples
from adapters.http.description.examples import BODIES, success_example
from adapters.http.description.headers import (
    RATE_HEADERS,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    header_references,
    request_header_references,
)
from adapters.http.description.operations import SECTIONS
from adapters.http.description.parameters import path_parameters, query_parameters
from adapters.http.description.refusals import error_responses
from adapters.http.description.schemas import Json, reference, schema_components
from adapters.http.operation import Operation
from adapters.http.wire.envelope import ErrorBody

_METHODS = ("POST", "GET", "PATCH", "DELETE")
_TEXT = """\
Dossier records documents whose bytes are in an object store. Ask for an upload URL, PUT the file there, and record the
document. Then read it with a download URL, or find it by its properties, its folder or its entity links.

- Every request has an API key: `Authorization: Bearer wbk_…`.
- Every success is `{"data": …}`; a list has `meta` too. Every error is `{"error": {"code", "message", "request_id",
  "details"}}`: act on `code`, and on `details` if it is present.
- Every response has an `X-Request-ID`. With a valid API key, it has the three `X-RateLimit-…` headers too,
  unless the request is refused before its API key is read: 414, 431, or 400 for malformed HTTP.
- Send an `Idempotency-Key` with requests that create, change or delete. After any failure, the same request can be
  sent again, and is executed once. The header has no effect on reads and on `POST /v1/documents/upload-url`, which can
  be repeated without it; one that is no UUID is refused there too.
- HEAD works wherever GET does: it has the same headers, and no body. OPTIONS names the methods of an address.
- A 429 says in `details` how long to wait: `retry_after` in seconds, the rest of a `window` of `limit` requests.
- Times are UTC, in whole seconds. Absent values are `null`. Members that are not described here are refused.
"""


def openapi_document(application: Litestar, public_url: str) -> Json:
    """Return the document of all routes that are part of the API."""
    described = {name: facts for section in SECTIONS for name, facts in section.operations.items()}
    paths: dict[str, Json] = {}
    errors: dict[str, Json] = {}
    for path, method, handler in _routes(application):
        operation, responses = _operation(path, handler, described[_operation_id(handler)])
        paths.setdefault(path, {})[method.lower()] = operation
        errors |= responses
    bodies = {
        ErrorBody,
        *(facts.success for facts in described.values()),
        *(facts.narrowed for facts in described.values()),
        *(facts.body for facts in described.values()),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dossier",
            "version": _version(),
            "description": _TEXT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url or "/", "description": "This deployment"}],
        "tags": [{"name": section.tag, "description": section.text} for section in SECTIONS],
        "paths": paths,
        "components": {
            "schemas": schema_components(bodies - {None}),
            "responses": dict(sorted(errors.items())),
            "parameters": REQUEST_HEADERS,
            "headers": RESPONSE_HEADERS,
            "examples": {name: {"value": example} for name, example in error_examples().items()},
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "wbk_…"}},
        },
    }


def _routes(application: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Yield the path, method and handler of every operation. The methods of a path are in the order of `_METHODS`."""
    for route in application.routes:
        if isinstance(route, HTTPRoute):
            handlers = {
                method: handler
                for handler in route.route_handlers
                if handler.resolve_include_in_schema()
                for method in handler.http_methods
                # HEAD works wherever GET does. A description of it would not help a client.
                if method != "HEAD"
            }
            for method in sorted(handlers, key=_METHODS.index):
                yield route.path_format, method, handlers[method]


def _operation_id(handler: HTTPRouteHandler) -> str:
    return str(handler.operation_id or handler.handler_name)


def _operation(path: str, handler: HTTPRouteHandler, facts: Described) -> tuple[Json, Mapping[str, Json]]:
    """Return the Operation Object of a route, and the components of its error responses by name."""
    is_operation = isinstance(handler, Operation)
    errors = list(error_responses(facts, needs_api_key=is_operation))
    name = _operation_id(handler)
    operation: Json = {
        "operationId": name,
        "summary": facts.summary,
        "description": inspect.getdoc(handler.use_case if isinstance(handler, Operation) else handler.fn) or "",
        "tags": [section.tag for section in SECTIONS if name in section.operations],
        "security": [{"apiKey": []}] if is_operation else [],
        "parameters": list(_parameters(path, handler, facts)),
        "responses": {
            str(facts.status): _success(facts, None if facts.existing else facts.narrowed, needs_api_key=is_operation),
            **{str(status): {"$ref": f"#/components/responses/{name}"} for status, name, _ in errors},
        },
    }
    if facts.existing:
        operation["responses"]["200"] = _success(facts, facts.narrowed, needs_api_key=is_operation) | {
            "description": "The link already exists and stays as it is."
        }
    if facts.body is not None:
        media = _json(facts.body, BODIES[facts.body])["application/json"]
        media_types = handler.media_types if isinstance(handler, Operation) else ()
        operation["requestBody"] = {"required": True, "content": dict.fromkeys(media_types, media)}
    if facts.cacheable:
        operation["responses"]["304"] = {
            "description": "The document is in a state that `If-None-Match` names. There is no body.",
            "headers": header_references([*RATE_HEADERS, "ETag"]),
        }
    return operation, {name: response for _, name, response in errors}


def _parameters(path: str, handler: HTTPRouteHandler, facts: Described) -> Iterator[Json]:
    yield from path_parameters(path)
    headers = []
    if isinstance(handler, Operation):
        yield from query_parameters(handler.query_parameters)
        headers = [*(["If-Match", "If-None-Match"] if handler.is_conditional else []), "X-Request-ID"]
    if facts.idempotent:
        headers.insert(0, "Idempotency-Key")
    yield from request_header_references(headers)


def _success(facts: Described, narrowed: Any, *, needs_api_key: bool) -> Json:
    headers = [*RATE_HEADERS] if needs_api_key else []
    if facts.located:
        headers.append("Location")
    if facts.idempotent:
        headers.append("Idempotent-Replayed")
    if facts.etag:
        headers.append("ETag")
    success: Json = {"description": "Done.", "headers": header_references(headers)}
    if facts.success is not None:
        example = facts.example or success_example(facts.success)
        success["content"] = _json(facts.success, example) if narrowed is None else _either(facts, narrowed, example)
    if facts.links:
        success["links"] = {
            operation: {
                "operationId": operation,
                "parameters": {name: f"$response.body#/data/{member}" for name, member in parameters.items()},
            }
            for operation, parameters in facts.links.items()
        }
    return success


def _json(type_: object, example: object) -> Json:
    return {"application/json": {"schema": reference(type_), "example": example}}


def _either(facts: Described, narrowed: Any, example: object) -> Json:
    """Return the body of a success that depends on the permission to read documents."""
    return {
        "application/json": {
            # Not `oneOf`: a body with all members has also those of the narrower one.
            "schema": {"anyOf": [reference(facts.success), reference(narrowed)]},
            "examples": {
                "WithReadDocuments": {"value": example},
                "WithoutReadDocuments": {"value": success_example(narrowed)},
            },
        }
    }


def _version() -> str:
    try:
        return version("dossier")
    except PackageNotFoundError:
        # The sources can run without an installed package.
        return "unknown"
