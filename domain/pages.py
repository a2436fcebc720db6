"""Pages of lists, and the parsing of query parameters: numbers, booleans and times."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from domain.members import Form, RuleViolation
from domain.text import string

T = TypeVar("T")

PER_PAGE_MAX = 100
PER_PAGE = 25
PAGE_MAX = 10**9
TIME_MAX = 64
"""The most characters of a time. That is enough for a fraction with far more digits than any clock has."""

_SPACE_FOR_PLUS = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:\d\d)\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
# RFC 3339 5.6 defines this form. The fraction of a second may have any number of digits.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: `size` rows, after those of the `number - 1` pages before it."""

    number: int = 1
    size: int = PER_PAGE

    @classmethod
    def read(cls, form: Form) -> "Page":
        """Read the parameters `page` and `per_page`. The default is the first page."""
        number = form.optional("page", whole_number(1, PAGE_MAX))
        size = form.optional("per_page", whole_number(1, PER_PAGE_MAX))
        return cls(1 if number is None else number, PER_PAGE if size is None else size)

    @property
    def offset(self) -> int:
        """The number of rows before the page."""
        return (self.number - 1) * self.size


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """The rows of one page, and the number of rows on all pages."""

    rows: tuple[T, ...]
    total: int


def whole_number(least: int, most: int) -> Callable[[object], int]:
    """Return a rule for whole numbers in decimal digits, from `least` to `most`."""

    def rule(value: object) -> int:
        text = string(value)
        if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
            return int(text)
        raise RuleViolation(f"must be a whole number from {least} to {most}")

    return rule


def boolean(value: object) -> bool:
    """Read true, false, 1 or 0, in any letter case."""
    text = string(value).lower()
    if text not in _FLAGS:
        raise RuleViolation("must be true, false, 1 or 0")
    return _FLAGS[text]


def timestamp(value: object) -> datetime:
    """Read a time with an offset (RFC 3339). Return it in UTC."""
    text = string(value)
    if len(text) > TIME_MAX or not _TIME.fullmatch(text):
        raise RuleViolation("must be a time such as 2026-04-17T10:45:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RuleViolation("must be a time that exists in the calendar, such as 2026-04-17T10:45:00Z") from None


def timestamp_or_date(value: object) -> datetime:
    """Read a time with an offset (RFC 3339), or a date, which means midnight UTC at its beginning. Return the time in
    UTC.

    A space before the offset is a `+` that a client did not encode in a query.
    """
    text = _SPACE_FOR_PLUS.sub(r"\1+\2", string(value))
    try:
        return timestamp(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    except RuleViolation as wrong:
        raise RuleViolation(f"{wrong}, or a date such as 2026-04-17") from None
