"""The error table: the status, body and headers of every refusal and every failure. No other module decides these."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException
from msgspec import UNSET

from adapters.http.answer import NO_STORE, Answer
from adapters.http.wire.envelope import Error, ErrorBody, ErrorCode, ErrorDetails
from domain import errors
from domain.errors import Refusal
from ports.system import Unavailable

log = logging.getLogger("dossier.http")

RETRY_AFTER_SECONDS = 1
"""The Retry-After of a 503: most outages of a dependency end within seconds."""

RETRY_LATER_SECONDS = 10
"""The Retry-After of what does not end within seconds: another upload, and a full disk."""


class UnsupportedMediaType(Refusal):
    """The operation does not accept the Content-Type. `accept_patch` are the media types that a PATCH accepts."""

    code = "unsupported_media_type"

    def __init__(self, accept_patch: Sequence[str] = ()) -> None:
        self.accept_patch = accept_patch

    @property
    def message(self) -> str:
        return "Send the body as JSON in UTF-8, with 'Content-Type: application/json'."


class UnsupportedContentCoding(UnsupportedMediaType):
    """The body is compressed or otherwise encoded (RFC 9110 8.4)."""

    @property
    def message(self) -> str:
        return "The Content-Encoding is not supported; send the body without one, not compressed."


class RequestTimeout(Refusal):
    """The client did not send the request before the deadline."""

    code = "request_timeout"

    @property
    def message(self) -> str:
        return "The request did not arrive in time; send the request again."


class UriTooLong(Refusal):
    """The request target is longer than `limit_bytes`."""

    code = "uri_too_long"

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes

    @property
    def message(self) -> str:
        return f"The address is too long; send at most {self.limit_bytes} bytes of path and query."


class HeaderTooLarge(Refusal):
    """The request line and the header fields are larger than `limit_bytes`, or more than `limit_fields`."""

    code = "header_too_large"

    def __init__(self, limit_bytes: int, limit_fields: int) -> None:
        self.limit_bytes, self.limit_fields = limit_bytes, limit_fields

    @property
    def message(self) -> str:
        return f"The headers are too large; send at most {self.limit_bytes} bytes in {self.limit_fields} fields."


class ServerBusy(Refusal):
    """All connections of the process are in use."""

    code = "unavailable"

    @property
    def message(self) -> str:
        return "The server has too many connections; close idle ones and send the request again."


class SignedUrlRefused(Refusal):
    """The signed URL has expired, or was altered."""

    code = "link_expired"

    @property
    def message(self) -> str:
        return "This signed URL has expired or was altered; ask for a new one."


class SignedForOtherMethod(Refusal):
    """The signed URL is valid, but not for this method. `methods` are those that it is signed for."""

    code = "method_not_allowed"

    def __init__(self, *methods: str) -> None:
        self.methods = methods

    @property
    def message(self) -> str:
        return f"This signed URL is for {self.methods[0]} only; ask for another URL to do something else."


class RangeNotSatisfiable(Refusal):
    """The Range (RFC 9110 14.2) begins after the end of the file."""

    code = "validation_error"

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes

    @property
    def message(self) -> str:
        return "The Range begins after the end of the file; Content-Range gives the size of the file."


STATUS: Mapping[type[Refusal], int] = {
    errors.Invalid: 400,
    errors.InvalidKey: 401,
    errors.InsufficientPermissions: 403,
    errors.TierTooHigh: 403,
    errors.LastAdminKey: 403,
    SignedUrlRefused: 403,
    errors.QuotaExceeded: 403,
    errors.NotFound: 404,
    SignedForOtherMethod: 405,
    RequestTimeout: 408,
    errors.StorageConflict: 409,
    errors.DuplicateName: 409,
    errors.FolderExists: 409,
    errors.FolderInUse: 409,
    errors.ObjectChanged: 409,
    errors.UploadUnderWay: 409,
    errors.PreconditionFailed: 412,
    errors.ObjectExists: 412,
    errors.PayloadTooLarge: 413,
    UriTooLong: 414,
    UnsupportedMediaType: 415,
    UnsupportedContentCoding: 415,
    RangeNotSatisfiable: 416,
    errors.IdempotencyMismatch: 422,
    errors.RateLimited: 429,
    HeaderTooLarge: 431,
    ServerBusy: 503,
    errors.DiskFull: 503,
}


def answer(error: Exception, request_id: str) -> Answer:
    """Return the response to any error. The cause of a server error is in the log, and not in the response."""
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


def accept_patch_header(media_types: Sequence[str]) -> Mapping[str, str]:
    """Return the header with the media types that PATCH reads (RFC 5789 3.1); no header if there is no PATCH."""
    return {"Accept-Patch": ", ".join(media_types)} if media_types else {}


def to_response(answer: Answer) -> Response[bytes]:
    """Return an `Answer` as a response of Litestar."""
    return Response(
        answer.body,
        status_code=answer.status,
        headers={**answer.headers, "Cache-Control": NO_STORE},
        media_type="application/json",
    )


def internal_error(request_id: str) -> Answer:
    """Return the response to an unexpected error, which is a bug."""
    message = "An unexpected error occurred on the server; report this request id to the operator."
    return _answer(500, "internal_error", message, request_id)


def unavailable(request_id: str, details: ErrorDetails | None = None) -> Answer:
    """Return the response while a dependency is unavailable."""
    message = (
        "The service is temporarily unavailable; send the request again, with the same Idempotency-Key if it has one."
    )
    return _answer(503, "unavailable", message, request_id, details, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def method_not_allowed(request_id: str, methods: Sequence[str]) -> Answer:
    """Return the response to a method that the path does not support. `methods` are the supported methods."""
    allowed = ", ".join(methods)
    message = f"This address does not support the method; it supports {allowed}."
    return _answer(405, "method_not_allowed", message, request_id, headers={"Allow": allowed})


def _routing_error(error: HTTPException, request_id: str) -> Answer:
    """Return the response to an error that Litestar raises before it runs a handler."""
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return answer(errors.NotFound(), request_id)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            # Litestar keeps the methods in a set, whose order differs between processes.
            return method_not_allowed(request_id, sorted((error.headers or {}).get("allow", "").split(", ")))
        case _:
            return answer(errors.Invalid({"request": "is not a well-formed HTTP request"}), request_id)


def _answer(
    status: int,
    code: str,
    message: str,
    request_id: str,
    details: ErrorDetails | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    error = Error(ErrorCode(code), message, request_id, UNSET if details is None else details)
    return Answer(status, msgspec.json.encode(ErrorBody(error)), headers or {})


def _details(refusal: Refusal) -> ErrorDetails | None:
    match refusal:
        case errors.Invalid(fields):
            return ErrorDetails(fields=dict(fields))
        case RangeNotSatisfiable():
            return ErrorDetails(fields={"Range": f"must begin before {refusal.size_bytes}, the size of the file"})
        case errors.StorageConflict(document_id):
            return None if document_id is None else ErrorDetails(document_id=document_id)
        case errors.QuotaExceeded(limit_bytes, used_bytes, requested_bytes):
            return ErrorDetails(limit_bytes=limit_bytes, used_bytes=used_bytes, requested_bytes=requested_bytes)
        case errors.RateLimited(retry_after, window, limit):
            return ErrorDetails(retry_after=retry_after, window=window, limit=limit)
        case _:
            return None


def _headers(refusal: Refusal) -> Mapping[str, str]:
    match refusal:
        case errors.InvalidKey():
            return {"WWW-Authenticate": "Bearer"}
        case errors.RateLimited(retry_after, _, _):
            return {"Retry-After": str(retry_after)}
        case errors.UploadUnderWay() | errors.DiskFull():
            return {"Retry-After": str(RETRY_LATER_SECONDS)}
        case ServerBusy():
            return {"Retry-After": str(RETRY_AFTER_SECONDS)}
        case SignedForOtherMethod():
            return {"Allow": ", ".join([*refusal.methods, "OPTIONS"])}
        case RangeNotSatisfiable():
            return {"Content-Range": f"bytes */{refusal.size_bytes}"}
        case UnsupportedMediaType():
            codings = {"Accept-Encoding": "identity"} if isinstance(refusal, UnsupportedContentCoding) else {}
            # RFC 5789 2.2: a 415 to PATCH names the accepted media types.
            return {**codings, **accept_patch_header(refusal.accept_patch)}
        case _:
            return {}
