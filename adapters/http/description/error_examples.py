"""Examples of every error body. The error table renders them."""

import json
from collections.abc import Mapping
from typing import Any

from adapters.http import errors as http_errors
from domain import errors
from domain.access import Permission
from domain.errors import Refusal
from domain.ids import DocumentId
from domain.preconditions import Precondition
from domain.rate_limits import Tier

_REQUEST_ID = "req_01HY0000000000000000000000"

_REFUSALS: tuple[Refusal, ...] = (
    errors.Invalid({"name": "is required"}),
    errors.InvalidKey(),
    errors.InsufficientPermissions(Permission.WRITE_DOCUMENTS),
    errors.TierTooHigh(Tier.STANDARD),
    errors.LastAdminKey(),
    errors.QuotaExceeded(limit_bytes=10**10, used_bytes=10**10 - 1, requested_bytes=183204),
    errors.NotFound(),
    http_errors.RequestTimeout(),
    errors.StorageConflict(DocumentId("doc_01HY0000000000000000000000")),
    errors.DuplicateName(),
    errors.FolderExists(),
    errors.FolderInUse(),
    errors.ObjectChanged(),
    errors.PreconditionFailed(Precondition(frozenset({"1"})).unmet),
    errors.PayloadTooLarge(64 * 1024),
    http_errors.UnsupportedMediaType(),
    http_errors.UriTooLong(16 * 1024),
    http_errors.HeaderTooLarge(64 * 1024, 256),
    http_errors.UnsupportedContentCoding(),
    errors.IdempotencyMismatch(),
    errors.RateLimited(retry_after=17, window="minute", limit=200),
)


def error_examples() -> Mapping[str, Any]:
    """Return an example of the body of each refusal by the name of its class, and of the errors of the router and the
    server."""
    answers = {type(refusal).__name__: http_errors.answer(refusal, _REQUEST_ID) for refusal in _REFUSALS} | {
        "MethodNotAllowed": http_errors.method_not_allowed(_REQUEST_ID, ["GET", "HEAD", "OPTIONS"]),
        "InternalError": http_errors.internal_error(_REQUEST_ID),
        "Unavailable": http_errors.unavailable(_REQUEST_ID),
    }
    return {name: json.loads(answer.body) for name, answer in answers.items()}
