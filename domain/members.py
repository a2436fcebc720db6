"""Read the members of a request: each by its rule. Every invalid or unknown member is reported, not only the first.

A rule accepts any JSON value. It returns the normalised value or raises `RuleViolation` with the reason.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeVar, cast

from domain.errors import Invalid
from domain.ids import API_KEY_PREFIX

Members = Mapping[str, object]
"""A JSON object as the client sent it: str, int, float, bool, None, lists and dicts."""

T = TypeVar("T")
Rule = Callable[[object], T]


class RuleViolation(ValueError):
    """A value breaks a rule. The text completes a sentence that begins with the member's name."""


class Omitted(Enum):
    """Marks a member that was omitted, as opposed to `null`."""

    OMITTED = "omitted"


OMITTED = Omitted.OMITTED

NAME_REPEATED_MAX = 64
"""How many characters of an unknown member's name are repeated in the error."""


class Form:
    """The members of one request, read one by one.

    The values must be used only after `finish`, which raises if any member was invalid.
    """

    def __init__(self, members: Members) -> None:
        self._unread = dict(members)
        self._wrong: dict[str, str] = {}

    def required(self, member: str, rule: Rule[T]) -> T:
        """Read a member that must be present and must not be `null`."""
        if member not in self._unread:
            self._wrong[member] = "is required"
            return cast("T", None)  # never used: finish() raises
        return self._apply(member, rule, self._unread.pop(member))

    def optional(self, member: str, rule: Rule[T]) -> T | None:
        """Read a member that may be absent. Absent and `null` are both `None`."""
        value = self._unread.pop(member, None)
        return None if value is None else self._apply(member, rule, value)

    def sent(self, member: str, rule: Rule[T]) -> T | Omitted:
        """Read a member of a partial change. Absent is `OMITTED`; `null` is passed to the rule."""
        return self._apply(member, rule, self._unread.pop(member)) if member in self._unread else OMITTED

    def finish(self) -> None:
        """Return if every member was valid and was read.

        Raises:
            Invalid: with a reason for each invalid and each unknown member.
        """
        for member in self._unread:
            self._wrong[_shown(member)] = "is not a member of this request; leave it out"
        if self._wrong:
            raise Invalid(self._wrong)

    def _apply(self, member: str, rule: Rule[T], value: object) -> T:
        try:
            return rule(value)
        except RuleViolation as wrong:
            self._wrong[member] = str(wrong)
            return cast("T", None)  # never used: finish() raises


def or_null(rule: Rule[T]) -> Rule[T | None]:
    """Return a rule that accepts `null` and otherwise applies `rule`."""
    return lambda value: None if value is None else rule(value)


def _shown(member: str) -> str:
    """Return a member's name for an error: shortened if long, and without an API key sent in the wrong place."""
    if API_KEY_PREFIX in member:
        return f"{API_KEY_PREFIX}…"
    return member if len(member) <= NAME_REPEATED_MAX else f"{member[:NAME_REPEATED_MAX]}…"
