"""The envelopes of successes, lists and errors, and the query parameters of list requests."""

from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from adapters.http.wire import patterns
from adapters.http.wire.members import DocumentId, int32, int64
from adapters.http.wire.operations import DependencyState
from domain.pages import PAGE_MAX, PER_PAGE, PER_PAGE_MAX, Page

T = TypeVar("T")


class Envelope(Struct, Generic[T]):
    """The body of a successful response."""

    data: T


class PageQuery(Struct):
    """The query parameters of every list."""

    page: Annotated[int, int32("Number of the page, from 1.", ge=1, le=PAGE_MAX)] = 1
    per_page: Annotated[int, int32("Largest number of rows on a page.", ge=1, le=PER_PAGE_MAX)] = PER_PAGE


class PageMeta(Struct):
    """The number of this page, and the number of rows on all pages."""

    page: Annotated[int, int32("Number of this page, from 1.", ge=1, le=PAGE_MAX)]
    per_page: Annotated[int, int32("Largest number of rows on a page.", ge=1, le=PER_PAGE_MAX)]
    total: Annotated[int, int64("Number of rows on all pages.")]

    @classmethod
    def of(cls, page: Page, total: int) -> "PageMeta":
        return cls(page.number, page.size, total)


class Paged(Struct, Generic[T]):
    """A page of a list. `meta` gives the number of the page. The list of documents has an envelope of its own."""

    data: T
    meta: PageMeta


class ErrorCode(StrEnum):
    """A stable code by which programs can decide. Only signed URLs have `link_expired`."""

    VALIDATION_ERROR = "validation_error"
    INVALID_KEY = "invalid_key"
    INSUFFICIENT_PERMISSIONS = "insufficient_permissions"
    LINK_EXPIRED = "link_expired"
    QUOTA_EXCEEDED = "quota_exceeded"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    STORAGE_CONFLICT = "storage_conflict"
    IN_USE = "in_use"
    DUPLICATE_NAME = "duplicate_name"
    OBJECT_CHANGED = "object_changed"
    PRECONDITION_FAILED = "precondition_failed"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    URI_TOO_LONG = "uri_too_long"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    RATE_LIMITED = "rate_limited"
    HEADER_TOO_LARGE = "header_too_large"
    INTERNAL_ERROR = "internal_error"
    UNAVAILABLE = "unavailable"


Reason = Annotated[str, Meta(max_length=1000)]


class ErrorDetails(Struct):
    """Facts about an error, for codes that have any."""

    fields: (
        Annotated[
            dict[str, Reason],
            Meta(description="Of `validation_error`: every wrong member, parameter and header, with the reason."),
        ]
        | UnsetType
    ) = UNSET
    document_id: (
        Annotated[DocumentId, Meta(description="Of `storage_conflict`: the document at the path.")] | UnsetType
    ) = UNSET
    limit_bytes: Annotated[int, int64("Of `quota_exceeded`: the quota.")] | UnsetType = UNSET
    used_bytes: Annotated[int, int64("Of `quota_exceeded`: what is used of it.")] | UnsetType = UNSET
    requested_bytes: Annotated[int, int64("Of `quota_exceeded`: the size of the file.")] | UnsetType = UNSET
    retry_after: (
        Annotated[int, int32("Of `rate_limited`: seconds until the window ends, as in `Retry-After`.", ge=1)]
        | UnsetType
    ) = UNSET
    window: (
        Annotated[
            str,
            Meta(max_length=30, description="Of `rate_limited`: the length of the window.", examples=["minute", "day"]),
        ]
        | UnsetType
    ) = UNSET
    limit: Annotated[int, int64("Of `rate_limited`: the requests allowed in the window.")] | UnsetType = UNSET
    checks: (
        Annotated[
            dict[str, DependencyState], Meta(description="Of `unavailable`, from `/health/ready`: each dependency.")
        ]
        | UnsetType
    ) = UNSET


class Error(Struct):
    """An error: a stable `code`, and a sentence that says what to do."""

    code: ErrorCode
    message: Annotated[str, Meta(max_length=1000, description="One sentence for people: the problem and its remedy.")]
    request_id: Annotated[
        str,
        Meta(max_length=128, pattern=patterns.REQUEST_ID, description="The `X-Request-ID` of this response."),
    ]
    details: ErrorDetails | UnsetType = UNSET


class ErrorBody(Struct):
    """An error response."""

    error: Error
