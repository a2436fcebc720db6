"""The envelopes of successes, lists and errors, and the query of a list."""

from typing import Annotated, Any, Generic, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from domain.pages import PAGE_MAX, PER_PAGE, PER_PAGE_MAX, Page

T = TypeVar("T")


class Envelope(Struct, Generic[T]):
    """A success."""

    data: T


class PageQuery(Struct):
    """The query parameters of every list."""

    page: Annotated[int, Meta(ge=1, le=PAGE_MAX, description="Number of the page, from 1.")] = 1
    per_page: Annotated[int, Meta(ge=1, le=PER_PAGE_MAX, description="Largest number of rows on a page.")] = PER_PAGE


class PageMeta(Struct):
    """The number of this page, and the number of rows on all pages."""

    page: Annotated[int, Meta(ge=1, description="Number of this page, from 1.")]
    per_page: Annotated[int, Meta(ge=1, le=PER_PAGE_MAX, description="Largest number of rows on a page.")]
    total: Annotated[int, Meta(ge=0, description="Number of rows on all pages.")]

    @classmethod
    def of(cls, page: Page, total: int) -> "PageMeta":
        return cls(page.number, page.size, total)


class Paged(Struct, Generic[T]):
    """A page of a list: `meta` says which page `data` is. The list of documents has an envelope of its own."""

    data: T
    meta: PageMeta


class Error(Struct):
    """An error: a stable `code`, and a sentence that says what to do."""

    code: Annotated[str, Meta(description="Stable code for programs to act on.", examples=["validation_error"])]
    message: Annotated[str, Meta(description="One sentence for people: the problem and its remedy.")]
    request_id: Annotated[str, Meta(description="The `X-Request-ID` of this response.")]
    details: (
        Annotated[dict[str, Any], Meta(description="Facts about the error, for codes that have any.")] | UnsetType
    ) = UNSET


class ErrorBody(Struct):
    """An error response."""

    error: Error
