"""The OpenAPI 3.1 document, made from the routes themselves: each handler says what it is with `described`.

Not Litestar's generator: that one reads handler parameters, and our handlers take none but the request, because bodies
and queries are read by rules that report every mistake. https://spec.openapis.org/oas/v3.1.0
"""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from adapters.http.errors import STATUS
from adapters.http.examples import (
    BODIES,
    error_examples,
    success_example,
)
from adapters.http.parameters import (
    RATE_HEADERS,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    Query,
    header_references,
    parameter_references,
    path_parameters,
    query_parameters,
)
from adapters.http.wire.envelope import ErrorBody
from domain.errors import InsufficientPermissions, InvalidKey, RateLimited, Refusal

Json = dict[str, Any]
_KEY = "described"

_MEANING: Mapping[int, str] = {
    400: "Something in the request is wrong: `details.fields` says what, member by member.",
    401: "The API key is missing, malformed, unknown, expired or revoked.",
    403: "The key lacks the permission, or the quota does not hold the file: `code` says which.",
    404: "Nothing is there, or it is not this workspace's.",
    408: "The body did not arrive in time.",
    409: "It conflicts with what is stored.",
    412: "The record is in none of the states that `If-Match` names.",
    413: "It is too large.",
    415: "The body is not announced as JSON.",
    422: "The Idempotency-Key was used for a different request.",
    429: "The rate limit is used up; `Retry-After` says how long.",
    500: "Something went wrong on our side.",
    503: "A dependency is away; try again.",
}
_OF_A_KEY = (InvalidKey, InsufficientPermissions, RateLimited)
_ORDER = ("POST", "GET", "PATCH", "DELETE")
_TAGS: Mapping[str, str] = {
    "Documents": "Upload, record, read, find, change, delete: in this order.",
    "Links": "What documents belong to.",
    "Folders and tags": "Where documents are, and what they are called.",
    "Usage": "How much of the quota is used.",
    "API keys": "Who may call, and what they may do.",
    "Operations": "For operators and their probes.",
}
_DESCRIPTION = """\
Dossier records documents whose bytes lie in an object store. Ask for an upload URL, PUT the file there, record the
document, read it back with a download URL, find it by what it is, where it is and what it is linked to.

- Every request carries an API key: `Authorization: Bearer wbk_…`.
- Every success is `{"data": …}`, a list has `meta` besides. Every error is `{"error": {"code", "message", "request_id",
  "details"}}`: act on `code`, and on `details` where there are some.
- Every response has an `X-Request-ID`, and, when the key was valid, the three `X-RateLimit-…` headers.
- Send what creates or deletes with an `Idempotency-Key`: then it can be sent again after any failure, and is done once.
- Times are UTC, in whole seconds. Absent values are `null`. Members that are not named here are refused.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a client should know of an operation.

    `success` is `None` where there is no body. `refusals` are those of its own; those of every key and every failure of
    ours go without saying. `existing`: it is 200 instead where what is asked for is there already. `operation` names
    it, where its handler does not; `example` is a success, where that of its type is not it. `links` are what can be
    done with what comes back: by operation, which parameter is which member of `data`.
    """

    summary: str
    status: int
    success: Any
    use_case: type | None = None
    body: type[msgspec.Struct] | None = None
    refusals: Iterable[type[Refusal]] = ()
    query: Mapping[str, Query] = field(default_factory=dict)
    idempotent: bool = False
    conditional: bool = False
    existing: bool = False
    located: bool = False
    etag: bool = False
    keyless: bool = False
    tag: str = "Documents"
    operation: str | None = None
    example: Any = None
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __deepcopy__(self, _: object) -> "Described":
        # Litestar copies what a handler is told. This does not change, and msgspec's Meta in it cannot be copied.
        return self


def described(**facts: Any) -> dict[str, Any]:
    """The `opt` of a handler that is part of the document; the keywords are the fields of `Described`."""
    return {_KEY: Described(**facts)}


def openapi_document(application: Litestar) -> Json:
    """The document of all described routes."""
    operations = [
        (route.path_format, method, handler)
        for route in application.routes
        if isinstance(route, HTTPRoute)
        for method, handler in sorted(
            ((method, handler) for handler in route.route_handlers for method in handler.http_methods),
            key=lambda each: _ORDER.index(each[0]) if each[0] in _ORDER else len(_ORDER),
        )
        if _KEY in handler.opt
    ]
    described = [handler.opt[_KEY] for _, _, handler in operations]
    structs = {ErrorBody} | {facts.success for facts in described} | {facts.body for facts in described}
    structs.discard(None)
    _, schemas = msgspec.json.schema_components(sorted(structs, key=str), ref_template="#/components/schemas/{name}")
    for schema in schemas.values():
        for member in schema.get("properties", {}).values():
            # Absent is `null`, but who has a default to send is taken by generators to send it always.
            if member.get("default", ...) is None:
                del member["default"]
    paths: dict[str, Json] = {}
    errors: dict[str, Json] = {}
    for path, method, handler in operations:
        paths.setdefault(path, {})[method.lower()] = _operation(path, handler, errors)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dossier",
            "version": _version(),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This deployment"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": dict(sorted(errors.items())),
            "parameters": REQUEST_HEADERS,
            "headers": RESPONSE_HEADERS,
            "examples": {name: {"value": example} for name, example in error_examples().items()},
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "wbk_…"}},
        },
    }


def _version() -> str:
    try:
        return version("dossier")
    except PackageNotFoundError:
        # Run from the sources without having been installed.
        return "unknown"


def _operation(path: str, handler: HTTPRouteHandler, errors: dict[str, Json]) -> Json:
    """The operation of a handler; the errors it may answer are added to those that are there."""
    facts: Described = handler.opt[_KEY]
    operation: Json = {
        "operationId": facts.operation or handler.handler_name,
        "summary": facts.summary,
        "description": inspect.getdoc(facts.use_case or handler.fn) or "",
        "tags": [facts.tag],
        "security": [] if facts.keyless else [{"apiKey": []}],
        "parameters": list(_parameters(path, facts)),
        "responses": {str(facts.status): _success(facts)} | dict(_refusals(facts, errors)),
    }
    if facts.existing:
        operation["responses"]["200"] = _success(facts) | {"description": "It is there already, and stays as it is."}
    if facts.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(facts.body, BODIES[facts.body])}
    return operation


def _parameters(path: str, facts: Described) -> Iterable[Json]:
    yield from path_parameters(path)
    yield from query_parameters(facts.query)
    if facts.idempotent:
        yield from parameter_references(["Idempotency-Key"])
    if facts.conditional:
        yield from parameter_references(["If-Match"])
    if not facts.keyless:
        yield from parameter_references(["X-Request-ID"])


def _success(facts: Described) -> Json:
    headers = ["X-Request-ID"]
    if not facts.keyless:
        headers += RATE_HEADERS
    if facts.located:
        headers.append("Location")
    if facts.idempotent:
        headers.append("Idempotent-Replayed")
    if facts.etag:
        headers.append("ETag")
    success: Json = {"description": "Done.", "headers": header_references(headers)}
    if facts.success is not None:
        example = success_example(facts.success) if facts.example is None else facts.example
        success["content"] = _json(facts.success, example)
    if facts.links:
        success["links"] = {
            operation: {
                "operationId": operation,
                "parameters": {name: f"$response.body#/data/{member}" for name, member in parameters.items()},
            }
            for operation, parameters in facts.links.items()
        }
    return success


def _refusals(facts: Described, errors: dict[str, Json]) -> Iterable[tuple[str, Json]]:
    """What can be answered instead, by status, with the codes of each and an example of each: as references."""
    examples: dict[int, list[str]] = {500: ["InternalError"], 503: ["Unavailable"]}
    codes: dict[int, set[str]] = {500: {"internal_error"}, 503: {"unavailable"}}
    for refusal in (*facts.refusals, *(() if facts.keyless else _OF_A_KEY)):
        examples.setdefault(STATUS[refusal], []).append(refusal.__name__)
        codes.setdefault(STATUS[refusal], set()).add(refusal.code)
    for status in sorted(examples):
        headers = ["X-Request-ID"]
        if status in (429, 503):
            headers.append("Retry-After")
        if status == HTTPStatus.UNAUTHORIZED:
            headers.append("WWW-Authenticate")
        elif not facts.keyless:
            headers += RATE_HEADERS
        names = sorted(examples[status])
        # Those of the probes have no limits to tell.
        error = ("Probe" if facts.keyless else "") + "Or".join(names)
        errors[error] = {
            "description": f"{_MEANING[status]} Code: {', '.join(f'`{code}`' for code in sorted(codes[status]))}.",
            "headers": header_references(headers),
            "content": {
                "application/json": {
                    "schema": _reference(ErrorBody),
                    "examples": {name: {"$ref": f"#/components/examples/{name}"} for name in names},
                }
            },
        }
        yield str(status), {"$ref": f"#/components/responses/{error}"}


def _json(type_: Any, example: Any) -> Json:
    return {"application/json": {"schema": _reference(type_), "example": example}}


def _reference(type_: Any) -> Json:
    return msgspec.json.schema_components([type_], ref_template="#/components/schemas/{name}")[0][0]
