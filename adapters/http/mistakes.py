"""Collects the mistakes of a request, so that one error names all of them."""

from collections.abc import Callable
from typing import TypeVar

from domain.errors import Invalid

T = TypeVar("T")


class Mistakes:
    """The mistakes found in one request so far: `fields` maps the name of each to the reason."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}

    def reading(self, read: Callable[[], T], instead: T) -> T:
        """Call `read` and return its result. If it raises `Invalid`, record the fields of the error and return
        `instead`."""
        try:
            return read()
        except Invalid as invalid:
            self.fields |= invalid.fields
            return instead

    def refuse(self) -> None:
        """Return without a value if there are no mistakes.

        Raises:
            Invalid: naming all.
        """
        if self.fields:
            raise Invalid(self.fields)
