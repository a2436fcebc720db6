"""The error table: what each refusal and each failure looks like to a client. The only place that pairs them."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException
from msgspec import UNSET

from adapters.http.answer import Answer
from adapters.http.wire.envelope import Error, ErrorBody
from domain import errors
from domain.errors import Refusal
from ports.system import Unavailable

log = logging.getLogger("dossier.http")

RETRY_AFTER_SECONDS = 1
"""When a client may ask again after a 503: most such faults heal within seconds."""


class UnsupportedMediaType(Refusal):
    code = "unsupported_media_type"

    @property
    def message(self) -> str:
        return "Send the body as JSON in UTF-8, with 'Content-Type: application/json'."


class RequestTimeout(Refusal):
    """The client was too slow to send what it announced."""

    code = "request_timeout"

    @property
    def message(self) -> str:
        return "The body did not arrive in time; send the request again."


class SignedUrlRefused(Refusal):
    """A signed URL that was changed or has expired: it permits nothing."""

    code = "insufficient_permissions"

    @property
    def message(self) -> str:
        return "This link has expired or was changed; ask for a new one."


class ObjectExists(Refusal):
    """An upload to a path where something lies."""

    code = "precondition_failed"

    @property
    def message(self) -> str:
        return "A file was stored through this link already and stays as it is; ask for a new link for another file."


class RangeNotSatisfiable(Refusal):
    """A Range (RFC 9110 14.2) of which nothing is there."""

    code = "validation_error"

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes

    @property
    def message(self) -> str:
        return "The file ends before this Range begins; Content-Range says how long it is."


STATUS: Mapping[type[Refusal], int] = {
    errors.Invalid: 400,
    errors.InvalidKey: 401,
    errors.InsufficientPermissions: 403,
    errors.LastAdminKey: 403,
    SignedUrlRefused: 403,
    errors.QuotaExceeded: 403,
    errors.NotFound: 404,
    RequestTimeout: 408,
    errors.StorageConflict: 409,
    errors.DuplicateName: 409,
    errors.FolderExists: 409,
    errors.ObjectChanged: 409,
    errors.PreconditionFailed: 412,
    ObjectExists: 412,
    errors.PayloadTooLarge: 413,
    UnsupportedMediaType: 415,
    RangeNotSatisfiable: 416,
    errors.IdempotencyMismatch: 422,
    errors.RateLimited: 429,
}


def answer(error: Exception, request_id: str) -> Answer:
    """The response to anything that was raised. Of a failure of ours, a client learns nothing but that it was one."""
    match error:
        case Refusal():
            return _answer(STATUS[type(error)], error.code, error.message, request_id, _details(error), _headers(error))
        case Unavailable():
            log.error("%s unavailable: %s", request_id, error)
            return unavailable(request_id)
        case HTTPException() if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return _routing_error(error, request_id)
        case _:
            log.error("%s unexpected error", request_id, exc_info=error)
            return internal_error(request_id)


def to_response(answer: Answer) -> Response[bytes]:
    """The answer as a response of the framework."""
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers), media_type="application/json")


def internal_error(request_id: str) -> Answer:
    """The response to a mistake of ours."""
    message = "Something went wrong on our side; the operator finds it under this request id."
    return _answer(500, "internal_error", message, request_id)


def unavailable(request_id: str, details: Mapping[str, Any] | None = None) -> Answer:
    """The response while a dependency is away."""
    message = "The service cannot answer just now; send the request again, with its Idempotency-Key if it has one."
    return _answer(503, "unavailable", message, request_id, details, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def _routing_error(error: HTTPException, request_id: str) -> Answer:
    """What the framework raises before any handler of ours runs."""
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return answer(errors.NotFound(), request_id)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            # The framework has them in a set, whose order is another in each process.
            allowed = ", ".join(sorted((error.headers or {}).get("allow", "").split(", ")))
            message = f"This address does not take the method; it takes {allowed}."
            return _answer(405, "method_not_allowed", message, request_id, headers={"Allow": allowed})
        case _:
            return answer(errors.Invalid({"request": "is not a well-formed HTTP request"}), request_id)


def _answer(
    status: int,
    code: str,
    message: str,
    request_id: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    error = Error(code, message, request_id, UNSET if details is None else dict(details))
    return Answer(status, msgspec.json.encode(ErrorBody(error)), headers or {})


def _details(refusal: Refusal) -> Mapping[str, Any] | None:
    match refusal:
        case errors.Invalid(fields):
            return {"fields": dict(fields)}
        case RangeNotSatisfiable():
            return {"fields": {"Range": f"must begin before {refusal.size_bytes}, the size of the file"}}
        case errors.StorageConflict(document_id):
            return None if document_id is None else {"document_id": document_id}
        case errors.QuotaExceeded(limit_bytes, used_bytes, requested_bytes):
            return {"limit_bytes": limit_bytes, "used_bytes": used_bytes, "requested_bytes": requested_bytes}
        case errors.RateLimited(retry_after):
            return {"retry_after": retry_after}
        case _:
            return None


def _headers(refusal: Refusal) -> Mapping[str, str]:
    match refusal:
        case errors.InvalidKey():
            return {"WWW-Authenticate": "Bearer"}
        case errors.RateLimited(retry_after):
            return {"Retry-After": str(retry_after)}
        case RangeNotSatisfiable():
            return {"Content-Range": f"bytes */{refusal.size_bytes}"}
        case _:
            return {}
