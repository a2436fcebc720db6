"""The request and response headers of the API, as components of the OpenAPI document."""

from collections.abc import Iterable, Mapping

from adapters.http.description.schemas import Json
from adapters.http.wire import patterns

_REQUEST_ID: Json = {"type": "string", "maxLength": 128, "pattern": patterns.REQUEST_ID}
_ENTITY_TAGS: Json = {"type": "string", "pattern": patterns.ENTITY_TAGS, "examples": ['"3-2c26b46b68ffc68f"']}
_NUMBER: Json = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**63 - 1}

REQUEST_HEADERS: Mapping[str, Json] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A UUID of your choice. The same request with the same key is executed once within 24 hours.",
        # The header has no `format: uuid`, because client generators would make a UUID object, which no HTTP library
        # accepts as a header.
        "schema": {
            "type": "string",
            "maxLength": 38,
            "pattern": patterns.UUID,
            "examples": ["7c9e6679-7425-40de-944b-e07fc1f90ae7"],
        },
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` of the state that you have seen. In any other state, the answer is 412.",
        "schema": _ENTITY_TAGS,
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "An `ETag` that you have seen. In that state, GET answers 304, and nothing is changed (412).",
        "schema": _ENTITY_TAGS,
    },
    "X-Request-ID": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "Your id of this request: 1 to 128 letters, digits, dots, hyphens and underscores. Any other "
        "text is replaced by a generated id.",
        "schema": {"type": "string", "examples": ["intake-4711"]},
    },
}

RESPONSE_HEADERS: Mapping[str, Json] = {
    "X-Request-ID": {"description": "The id of this request in the logs.", "required": True, "schema": _REQUEST_ID},
    "X-RateLimit-Limit": {
        "description": "Requests allowed in the window with the fewest requests left.",
        "schema": _NUMBER,
    },
    "X-RateLimit-Remaining": {"description": "Requests left in that window.", "schema": _NUMBER},
    "X-RateLimit-Reset": {"description": "End of that window, in Unix seconds.", "schema": _NUMBER},
    "Retry-After": {
        "description": "Seconds to wait before the next request.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 2**31 - 1},
    },
    "WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string", "const": "Bearer"}},
    "Location": {
        "description": "The address of the new document.",
        "schema": {"type": "string", "format": "uri-reference", "maxLength": 2048},
        "example": "/v1/documents/doc_01HY0000000000000000000000",
    },
    "ETag": {
        "description": "The state of everything shown but the signed URL, for `If-Match` and `If-None-Match`.",
        "schema": {"type": "string", "maxLength": 64, "pattern": '^(?:W/)?"[!#-~]*"$'},
        "example": '"3-2c26b46b68ffc68f"',
    },
    "Idempotent-Replayed": {
        "description": "Present if this is the answer to an earlier request with the same Idempotency-Key.",
        "schema": {"type": "string", "const": "true"},
    },
    "Allow": {
        "description": "The methods that this address supports.",
        "schema": {"type": "string", "maxLength": 100, "pattern": "^[A-Z]+(?:, [A-Z]+)*$"},
        "example": "GET, HEAD, OPTIONS",
    },
    "Accept-Encoding": {
        "description": "Present if the request had a `Content-Encoding`: bodies are read only without one.",
        "schema": {"type": "string", "const": "identity"},
    },
    "Accept-Patch": {
        "description": "Present if the request was a PATCH: the media types that it reads.",
        "schema": {"type": "string", "maxLength": 100, "pattern": "^[a-z+/-]+(?:, [a-z+/-]+)*$"},
        "example": "application/json, application/merge-patch+json",
    },
    "Access-Control-Allow-Origin": {
        "description": "Present if the operator permits pages of other origins to call the API "
        "(`DOSSIER_CORS_ORIGINS`): the origin of the page, or `*`.",
        "schema": {"type": "string", "maxLength": 2048, "pattern": r"^(?:\*|[a-z][a-z0-9+.-]*://.+)$"},
        "example": "https://app.example.com",
    },
}
EVERY_RESPONSE = ("X-Request-ID", "Access-Control-Allow-Origin")
RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def header_references(names: Iterable[str]) -> Json:
    """Return references to the headers of a response: the given ones, and those of every response."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*EVERY_RESPONSE, *names)}


def request_header_references(names: Iterable[str]) -> Iterable[Json]:
    """Return the headers of a request, as references."""
    return ({"$ref": f"#/components/parameters/{name}"} for name in names)
