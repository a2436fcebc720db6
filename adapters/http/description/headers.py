"""The request and response headers of the API, as components of the OpenAPI document."""

from collections.abc import Iterable, Mapping

from adapters.http.description.schemas import Json

_REQUEST_ID: Json = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"}

REQUEST_HEADERS: Mapping[str, Json] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A UUID of your choice. The same request with the same key is executed once within 24 hours.",
        # No `format: uuid`: for it, client generators make a UUID object, which no HTTP library accepts as a header.
        "schema": {
            "type": "string",
            "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
            "examples": ["7c9e6679-7425-40de-944b-e07fc1f90ae7"],
        },
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` of the state that you have seen. Nothing changes in another state. `*` allows all.",
        "schema": {
            "type": "string",
            "pattern": r'^\*$|^(W/)?"[!#-~]*"(\s*,\s*(W/)?"[!#-~]*")*$',
            "examples": ['"1"'],
        },
    },
    "X-Request-ID": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "Your id of this request. A text that does not match is replaced by a generated id.",
        "schema": {"type": "string", "examples": ["intake-4711"]},
    },
}

RESPONSE_HEADERS: Mapping[str, Json] = {
    "X-Request-ID": {"description": "The id of this request in the logs.", "required": True, "schema": _REQUEST_ID},
    "X-RateLimit-Limit": {
        "description": "Requests allowed in the window with the fewest requests left.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-RateLimit-Remaining": {
        "description": "Requests left in that window.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-RateLimit-Reset": {
        "description": "End of that window, in Unix seconds.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Retry-After": {
        "description": "Seconds to wait before the next request.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string", "const": "Bearer"}},
    "Location": {
        "description": "The path of the new document.",
        "schema": {"type": "string", "format": "uri-reference"},
        "example": "/v1/documents/doc_01HY0000000000000000000000",
    },
    "ETag": {
        "description": "The state of the record, for `If-Match`.",
        "schema": {"type": "string"},
        "example": '"1"',
    },
    "Idempotent-Replayed": {
        "description": "Present if this is the answer to an earlier request with the same Idempotency-Key.",
        "schema": {"type": "string", "const": "true"},
    },
}
RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def header_references(names: Iterable[str]) -> Json:
    """Return the headers of a response, as references."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def request_header_references(names: Iterable[str]) -> Iterable[Json]:
    """Return the headers of a request, as references."""
    return ({"$ref": f"#/components/parameters/{name}"} for name in names)
