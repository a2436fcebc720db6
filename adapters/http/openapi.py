"""The OpenAPI 3.1 document, made from the routes themselves: each handler says what it is with `described`.

Not Litestar's generator: that one reads handler parameters, and our handlers take none but the request, because bodies
and queries are read by rules that report every mistake. https://spec.openapis.org/oas/v3.1.0
"""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from adapters.http.errors import STATUS
from adapters.http.wire.envelope import ErrorBody
from domain.errors import InsufficientPermissions, InvalidKey, RateLimited, Refusal
from domain.pages import PER_PAGE

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
PAGES: Mapping[str, tuple[type, object, str]] = {
    "page": (int, 1, "Which page, from 1."),
    "per_page": (int, PER_PAGE, "How many rows a page has, from 1 to 100."),
}
"""The query of a list, as `described` takes it."""

_OF_A_KEY = (InvalidKey, InsufficientPermissions, RateLimited)
_RATE_HEADERS: Mapping[str, str] = {
    "X-RateLimit-Limit": "Requests allowed in the window that has the fewest left.",
    "X-RateLimit-Remaining": "Requests left in that window.",
    "X-RateLimit-Reset": "When that window ends, in Unix seconds.",
}
_DESCRIPTION = """\
Dossier records documents whose bytes lie in an object store. Ask for an upload URL, PUT the file there, record the
document, read it back with a download URL, find it by what it is, where it is and what it is linked to.

Every error has the body `{"error": {"code", "message", "request_id", "details"}}`; every response has an
`X-Request-ID`, and, when the key was valid, the three `X-RateLimit-…` headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a client should know of an operation.

    `success` is `None` where there is no body. `refusals` are those of its own; those of every key and every failure of
    ours go without saying. `query` is name -> (type, default, meaning); a default of `None` is none. `existing`: it is
    200 instead where what is asked for is there already. `operation` names it, where its handler does not.
    """

    summary: str
    status: int
    success: Any
    use_case: type | None = None
    body: type[msgspec.Struct] | None = None
    refusals: Iterable[type[Refusal]] = ()
    query: Mapping[str, tuple[type, object, str]] = field(default_factory=dict)
    idempotent: bool = False
    conditional: bool = False
    existing: bool = False
    located: bool = False
    etag: bool = False
    keyless: bool = False
    tag: str = "Documents"
    operation: str | None = None


def described(**facts: Any) -> dict[str, Any]:
    """The `opt` of a handler that is part of the document; the keywords are the fields of `Described`."""
    return {_KEY: Described(**facts)}


def openapi_document(application: Litestar) -> Json:
    """The document of all described routes."""
    operations = [
        (route.path_format, method, handler)
        for route in application.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods)
        if _KEY in handler.opt
    ]
    described = [handler.opt[_KEY] for _, _, handler in operations]
    structs = {ErrorBody} | {facts.success for facts in described} | {facts.body for facts in described}
    structs.discard(None)
    _, schemas = msgspec.json.schema_components(sorted(structs, key=str), ref_template="#/components/schemas/{name}")
    paths: dict[str, Json] = {}
    for path, method, handler in operations:
        paths.setdefault(path, {})[method.lower()] = _operation(path, handler)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dossier",
            "version": _version(),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This deployment"}],
        "tags": [
            {"name": "Documents", "description": "Upload, record, read, find, change, delete."},
            {"name": "Links", "description": "What documents belong to."},
            {"name": "Folders and tags", "description": "Where documents are, and what they are called."},
            {"name": "API keys", "description": "Who may call, and what they may do."},
            {"name": "Usage", "description": "How much of the quota is used."},
            {"name": "Operations", "description": "For operators and their probes."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "wbk_…"}},
        },
    }


def _version() -> str:
    try:
        return version("dossier")
    except PackageNotFoundError:
        # Run from the sources without having been installed.
        return "unknown"


def _operation(path: str, handler: HTTPRouteHandler) -> Json:
    facts: Described = handler.opt[_KEY]
    operation: Json = {
        "operationId": facts.operation or handler.handler_name,
        "summary": facts.summary,
        "description": inspect.getdoc(facts.use_case or handler.fn) or "",
        "tags": [facts.tag],
        "security": [] if facts.keyless else [{"apiKey": []}],
        "parameters": list(_parameters(path, facts)),
        "responses": {str(facts.status): _success(facts)} | dict(_refusals(facts)),
    }
    if facts.existing:
        operation["responses"]["200"] = _success(facts) | {"description": "It is there already, and stays as it is."}
    if facts.body is not None:
        content = {"application/json": {"schema": _reference(facts.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(path: str, facts: Described) -> Iterable[Json]:
    for part in path.split("/"):
        if part.startswith("{"):
            yield {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
    for name, (type_, default, meaning) in facts.query.items():
        schema = msgspec.json.schema(type_) | ({} if default is None else {"default": default})
        # Of an array, this is the style that repeats the parameter (OpenAPI 3.1, 4.8.12).
        style = {"style": "form", "explode": True} if schema["type"] == "array" else {}
        yield {"name": name, "in": "query", "description": meaning, "schema": schema} | style
    if facts.idempotent:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A UUID of your choice: the same request sent again within 24 hours is done once.",
            "schema": {"type": "string", "format": "uuid"},
        }
    if facts.conditional:
        yield {
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` of the state you have seen: in any other, nothing is done. `*` is any state.",
            "schema": {"type": "string"},
            "example": '"1"',
        }


def _success(facts: Described) -> Json:
    headers = {"X-Request-ID": "Names this request in logs."}
    if not facts.keyless:
        headers |= _RATE_HEADERS
    if facts.located:
        headers["Location"] = "The path of what was made."
    if facts.idempotent:
        headers["Idempotent-Replayed"] = "`true` when an earlier request with this key was answered again."
    if facts.etag:
        headers["ETag"] = "Names the state of the record."
    success: Json = {"description": "Done.", "headers": _headers(headers)}
    if facts.success is not None:
        success["content"] = {"application/json": {"schema": _reference(facts.success)}}
    return success


def _refusals(facts: Described) -> Iterable[tuple[str, Json]]:
    """What can be answered instead, by status, with the codes of each."""
    codes: dict[int, list[str]] = {500: ["internal_error"], 503: ["unavailable"]}
    for refusal in (*facts.refusals, *(() if facts.keyless else _OF_A_KEY)):
        codes.setdefault(STATUS[refusal], []).append(refusal.code)
    for status in sorted(codes):
        headers = {"X-Request-ID": "Names this request in logs."}
        if status in (429, 503):
            headers["Retry-After"] = "Seconds to wait."
        if status == 401:
            headers["WWW-Authenticate"] = "`Bearer`"
        elif not facts.keyless:
            headers |= _RATE_HEADERS
        named = ", ".join(f"`{code}`" for code in sorted(codes[status]))
        yield (
            str(status),
            {
                "description": f"{_MEANING[status]} Code: {named}.",
                "headers": _headers(headers),
                "content": {"application/json": {"schema": _reference(ErrorBody)}},
            },
        )


def _headers(meanings: Mapping[str, str]) -> Json:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in meanings.items()}


def _reference(type_: Any) -> Json:
    return msgspec.json.schema_components([type_], ref_template="#/components/schemas/{name}")[0][0]
