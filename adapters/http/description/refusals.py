"""The error responses of an operation: one for each status, with its codes and an example of each."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.http.description.described import Described
from adapters.http.description.headers import RATE_HEADERS, header_references
from adapters.http.description.schemas import Json, reference
from adapters.http.errors import (
    STATUS,
    HeaderTooLarge,
    RequestTimeout,
    UnsupportedContentCoding,
    UnsupportedMediaType,
    UriTooLong,
)
from adapters.http.wire.envelope import ErrorBody
from domain.errors import (
    InsufficientPermissions,
    Invalid,
    InvalidKey,
    PayloadTooLarge,
    RateLimited,
    Refusal,
)

OF_A_BODY: tuple[type[Refusal], ...] = (
    RequestTimeout,
    PayloadTooLarge,
    UnsupportedMediaType,
    UnsupportedContentCoding,
)
"""The refusals of every operation that reads a body."""

# Every operation can refuse a request as Invalid, because it refuses unknown query parameters.
_OF_AN_API_KEY: tuple[type[Refusal], ...] = (
    Invalid,
    InvalidKey,
    InsufficientPermissions,
    RateLimited,
    UriTooLong,
    HeaderTooLarge,
)
# These errors occur before the API key is read.
_WITHOUT_RATE_HEADERS = frozenset((401, 414, 431))

_MEANING: Mapping[int, str] = {
    400: "Something in the request is wrong: `details.fields` names each member, with the reason.",
    401: "The API key is missing, malformed, unknown, expired or revoked.",
    403: "The API key lacks the permission, or the quota has no room for the file: `code` says which.",
    404: "The id is unknown or malformed, or it belongs to another workspace.",
    405: "The address does not support the method. `Allow` names those that it supports.",
    408: "The body did not arrive in time.",
    409: "The request conflicts with stored data.",
    412: "The document is in a state that `If-Match` or `If-None-Match` does not allow.",
    413: "The body or the file is too large.",
    414: "The path and the query have more than 16 KiB.",
    415: "`Content-Type` is not JSON, or there is a `Content-Encoding`.",
    422: "The Idempotency-Key was used for a different request.",
    431: "The headers have more than 64 KiB, or are more than 256.",
    429: "The rate limit is used up. `Retry-After` says when to try again.",
    500: "An error of the server.",
    503: "A dependency is unavailable. Try again after `Retry-After`.",
}

_HEADERS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    415: ("Accept-Encoding", "Accept-Patch"),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def error_responses(facts: Described, *, needs_api_key: bool) -> Iterator[tuple[int, str, Json]]:
    """Yield the status, the component name and the Response Object of each error of an operation."""
    examples: dict[int, list[str]] = {500: ["InternalError"], 503: ["Unavailable"]}
    codes: dict[int, set[str]] = {500: {"internal_error"}, 503: {"unavailable"}}
    if not needs_api_key:
        # These are all the errors that a client can cause at a path without an API key.
        examples[405], codes[405] = ["MethodNotAllowed"], {"method_not_allowed"}
    for refusal in (*facts.refusals, *(_OF_AN_API_KEY if needs_api_key else ())):
        examples.setdefault(STATUS[refusal], []).append(refusal.__name__)
        codes.setdefault(STATUS[refusal], set()).add(refusal.code)
    for status in sorted(examples):
        names = sorted(examples[status])
        # The probes share no component with the other operations, because their responses have no rate-limit headers.
        component = ("" if needs_api_key else "Probe") + "Or".join(names)
        yield status, component, _response(status, names, codes[status], needs_api_key=needs_api_key)


def _response(status: int, names: list[str], codes: set[str], *, needs_api_key: bool) -> Json:
    headers = [*_HEADERS.get(status, ())]
    if needs_api_key and status not in _WITHOUT_RATE_HEADERS:
        headers += RATE_HEADERS
    content: dict[str, Any] = {
        "schema": reference(ErrorBody),
        "examples": {name: {"$ref": f"#/components/examples/{name}"} for name in names},
    }
    return {
        "description": f"{_MEANING[status]} Code: {', '.join(f'`{code}`' for code in sorted(codes))}.",
        "headers": header_references(headers),
        "content": {"application/json": content},
    }
