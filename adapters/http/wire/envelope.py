"""What every body is wrapped in: successes, lists, failures."""

from typing import Annotated, Any, Generic, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from domain.pages import PER_PAGE_MAX, Page

T = TypeVar("T")


class Envelope(Struct, Generic[T]):
    """Every success."""

    data: T


class PageMeta(Struct):
    """Which page this is, of how many rows in all."""

    page: Annotated[int, Meta(ge=1, description="The page, from 1.")]
    per_page: Annotated[int, Meta(ge=1, le=PER_PAGE_MAX, description="How many rows a page has at the most.")]
    total: Annotated[int, Meta(ge=0, description="How many rows there are on all pages.")]

    @classmethod
    def of(cls, page: Page, total: int) -> "PageMeta":
        return cls(page.number, page.size, total)


class Paged(Struct, Generic[T]):
    """Every list but that of documents: `meta` says which part of it `data` holds."""

    data: T
    meta: PageMeta


class Error(Struct):
    """What was wrong: a stable `code`, and a sentence that says what to do."""

    code: Annotated[str, Meta(description="What to act on, by program.", examples=["validation_error"])]
    message: Annotated[str, Meta(description="What to act on, in words.")]
    request_id: Annotated[str, Meta(description="The `X-Request-ID` of this response.")]
    details: Annotated[dict[str, Any], Meta(description="Facts, where a code has some.")] | UnsetType = UNSET


class ErrorBody(Struct):
    """Every failure."""

    error: Error
