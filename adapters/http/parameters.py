"""Parameters and headers as the OpenAPI document tells of them: each once, with its limits and an example."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from adapters.http.wire.entity_links import EntityId
from adapters.http.wire.members import ApiKeyId, DocumentId, EntityLinkId
from domain.pages import PAGE_MAX, PER_PAGE, PER_PAGE_MAX

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of a query: its type with its limits, what it means, its default where there is one, an example."""

    type: Any
    meaning: str
    default: object = None
    example: object = None


PAGES: Mapping[str, Query] = {
    "page": Query(Annotated[int, Meta(ge=1, le=PAGE_MAX)], "Which page, from 1.", 1),
    "per_page": Query(Annotated[int, Meta(ge=1, le=PER_PAGE_MAX)], "How many rows a page has at the most.", PER_PAGE),
}
"""The query of a list."""

_PATH: Mapping[str, tuple[Any, str]] = {
    "document_id": (DocumentId, "The `id` of the document."),
    "link_id": (EntityLinkId, "The `link_id` of the link."),
    "key_id": (ApiKeyId, "The `id` of the API key."),
    "entity_id": (EntityId, "Your id of what the documents belong to, percent-encoded."),
}

_REQUEST_ID: Json = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"}

REQUEST_HEADERS: Mapping[str, Json] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A UUID of your choice: the same request sent again within 24 hours is done once.",
        # No format: of a header that is a UUID, generated clients make something that no HTTP library sends.
        "schema": {
            "type": "string",
            "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
            "examples": ["7c9e6679-7425-40de-944b-e07fc1f90ae7"],
        },
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` of the state you have seen: in any other, nothing is done. `*` is any state.",
        "schema": {
            "type": "string",
            "pattern": r'^\*$|^(W/)?"[!#-~]*"(\s*,\s*(W/)?"[!#-~]*")*$',
            "examples": ['"1"'],
        },
    },
    "X-Request-ID": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "Your name for this request; any other text is replaced by one of ours.",
        "schema": {"type": "string", "examples": ["intake-4711"]},
    },
}

RESPONSE_HEADERS: Mapping[str, Json] = {
    "X-Request-ID": {"description": "Names this request in logs.", "required": True, "schema": _REQUEST_ID},
    "X-RateLimit-Limit": {
        "description": "Requests allowed in the window that has the fewest left.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-RateLimit-Remaining": {
        "description": "Requests left in that window.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-RateLimit-Reset": {
        "description": "When that window ends, in Unix seconds.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string", "const": "Bearer"}},
    "Location": {
        "description": "The path of what was made.",
        "schema": {"type": "string", "format": "uri-reference"},
        "example": "/v1/documents/doc_01HY0000000000000000000000",
    },
    "ETag": {
        "description": "Names the state of the record, for `If-Match`.",
        "schema": {"type": "string"},
        "example": '"1"',
    },
    "Idempotent-Replayed": {
        "description": "There when an earlier request with this Idempotency-Key is answered again.",
        "schema": {"type": "string", "const": "true"},
    },
}
RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def path_parameters(path: str) -> Iterable[Json]:
    """Those that a route's path names in braces."""
    for part in path.split("/"):
        if part.startswith("{"):
            type_, meaning = _PATH[part[1:-1]]
            yield {
                "name": part[1:-1],
                "in": "path",
                "required": True,
                "description": meaning,
                "schema": msgspec.json.schema(type_),
            }


def query_parameters(query: Mapping[str, Query]) -> Iterable[Json]:
    """Those of a query."""
    for name, facts in query.items():
        schema = msgspec.json.schema(facts.type)
        if facts.default is not None:
            schema["default"] = facts.default
        if facts.example is not None:
            # Not an example of the parameter: pages that can try a call would send it.
            schema["examples"] = [facts.example]
        parameter: Json = {"name": name, "in": "query", "description": facts.meaning, "schema": schema}
        # Of an array, this is the style that repeats the parameter (OpenAPI 3.1, 4.8.12).
        yield parameter | ({"style": "form", "explode": True} if schema["type"] == "array" else {})


def header_references(names: Iterable[str]) -> Json:
    """Headers of a response, by reference."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def parameter_references(names: Iterable[str]) -> Iterable[Json]:
    """Headers of a request, by reference."""
    return ({"$ref": f"#/components/parameters/{name}"} for name in names)
