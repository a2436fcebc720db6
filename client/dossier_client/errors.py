"""The exceptions of the client. Every one of them is a `DossierError`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dossier_client.steps import Reply


class DossierError(Exception):
    """Something that the caller of the client may want to handle. Its text is one sentence for people."""


class NotAnswered(DossierError):
    """No response arrived, however often the request was sent. The server may have performed it."""


class FileChanged(DossierError):
    """A file changed while it was read, so it was not recorded."""


class Damaged(DossierError):
    """The bytes that were downloaded are not those of the record, so they were discarded."""


class ApiError(DossierError):
    """An error response of the API.

    `code` is for programs, `message` for people; `fields` names each wrong member with its problem; `details` has
    further facts; `request_id` is what the operator finds in the log (docs/api.md, "Errors").
    """

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(error.get("code", ""))
        self.message = str(error.get("message", ""))
        self.request_id: str | None = error.get("request_id")
        self.details: Mapping[str, Any] = error.get("details") or {}
        self.fields: Mapping[str, str] = self.details.get("fields") or {}
        super().__init__(self.message)

    def __str__(self) -> str:
        fields = "; ".join(f"{name} {problem}" for name, problem in self.fields.items())
        return f"{self.message} ({fields})" if fields else self.message


class ValidationFailed(ApiError):
    """`validation_error`: the request breaks a rule; `fields` says which."""


class InvalidKey(ApiError):
    """`invalid_key`: the API key is mistyped, expired or revoked."""


class InsufficientPermissions(ApiError):
    """`insufficient_permissions`: the API key lacks the permission that the message names."""


class LinkExpired(ApiError):
    """`link_expired`: a signed URL has expired or was altered."""


class QuotaExceeded(ApiError):
    """`quota_exceeded`: the file does not fit the quota of the workspace."""


class NotFound(ApiError):
    """`not_found`: the workspace has nothing at this address."""


class Conflict(ApiError):
    """`storage_conflict`, `duplicate_name`, `in_use` or `object_changed`: something else is in the way."""


class PreconditionFailed(ApiError):
    """`precondition_failed`: the document is no longer in the state that `if_match` names."""


class IdempotencyMismatch(ApiError):
    """`idempotency_mismatch`: the idempotency key was used for a different request."""


class PayloadTooLarge(ApiError):
    """`payload_too_large`: the body or the file is larger than the server accepts."""


class RateLimited(ApiError):
    """`rate_limited`: the limit that `details` names is reached, for longer than the client waits."""


class Unavailable(ApiError):
    """`unavailable`, `internal_error` or `request_timeout`: the server failed, however often the request was sent."""


_NOT_DOSSIER = "the server answered with status {}, and not as Dossier does"

_CLASSES: dict[str, type[ApiError]] = {
    "validation_error": ValidationFailed,
    "invalid_key": InvalidKey,
    "insufficient_permissions": InsufficientPermissions,
    "link_expired": LinkExpired,
    "quota_exceeded": QuotaExceeded,
    "not_found": NotFound,
    "storage_conflict": Conflict,
    "duplicate_name": Conflict,
    "in_use": Conflict,
    "object_changed": Conflict,
    "precondition_failed": PreconditionFailed,
    "idempotency_mismatch": IdempotencyMismatch,
    "payload_too_large": PayloadTooLarge,
    "rate_limited": RateLimited,
    "unavailable": Unavailable,
    "internal_error": Unavailable,
    "request_timeout": Unavailable,
}


def error_of(reply: Reply) -> ApiError:
    """Return the exception for an error response. A proxy or an object store may have sent it, so any body is taken."""
    try:
        error = {**json.loads(reply.body)["error"]}
        kind = _CLASSES.get(error["code"], ApiError)
        return kind(reply.status, error)
    except (ValueError, TypeError, KeyError, AttributeError):
        # This is not a response of Dossier. A 5xx of a proxy is what `unavailable` is of Dossier.
        kind = Unavailable if reply.status >= 500 else ApiError
        return kind(reply.status, {"message": _NOT_DOSSIER.format(reply.status)})


@contextmanager
def expected(reply: Reply) -> Iterator[None]:
    """Raise an `ApiError` if the block does not find in a 2xx response what Dossier sends: perhaps a proxy sent it."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ApiError(reply.status, {"message": _NOT_DOSSIER.format(reply.status)}) from error
