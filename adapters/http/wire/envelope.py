"""What every body is wrapped in: successes, lists, failures."""

from typing import Any, Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType

from domain.pages import Page

T = TypeVar("T")


class Envelope(Struct, Generic[T]):
    """Every success."""

    data: T


class PageMeta(Struct):
    """Which page this is, of how many rows in all."""

    page: int
    per_page: int
    total: int

    @classmethod
    def of(cls, page: Page, total: int) -> "PageMeta":
        return cls(page.number, page.size, total)


class Paged(Struct, Generic[T]):
    """Every list but that of documents: `meta` says which part of it `data` holds."""

    data: T
    meta: PageMeta


class Error(Struct):
    """What was wrong: a stable `code`, and a sentence that says what to do."""

    code: str
    message: str
    request_id: str
    details: dict[str, Any] | UnsetType = UNSET


class ErrorBody(Struct):
    """Every failure."""

    error: Error
