"""Collects what is wrong with a request, so that one answer names every mistake."""

from collections.abc import Callable
from typing import TypeVar

from domain.errors import Invalid

T = TypeVar("T")


class Mistakes:
    """The mistakes found in one request so far: `fields` maps the name of each to the reason."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}

    def reading(self, read: Callable[[], T], instead: T) -> T:
        """Return what `read` returns. If that is refused, note why and return `instead`."""
        try:
            return read()
        except Invalid as invalid:
            self.fields |= invalid.fields
            return instead

    def refuse(self) -> None:
        """Return if there are none.

        Raises:
            Invalid: naming all.
        """
        if self.fields:
            raise Invalid(self.fields)
