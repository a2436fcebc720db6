"""Reading what a client sent: every member by its rule, every wrong member reported, none passed over.

A rule is a total function: any JSON value in, the normalised value out, or `Wrong` with the reason.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeVar, cast

from domain.errors import Invalid
from domain.ids import API_KEY_PREFIX

Members = Mapping[str, object]
"""A JSON object as it was sent: str, int, float, bool, None, lists and dicts."""

T = TypeVar("T")
Rule = Callable[[object], T]


class RuleViolation(ValueError):
    """A value breaks its rule. The text completes the sentence that begins with the member's name."""


class Omitted(Enum):
    """What is there of a member that was not sent, where `null` says something else."""

    OMITTED = "unsent"


OMITTED = Omitted.OMITTED

NAME_REPEATED_MAX = 64
"""How much of a member's name is told when nobody knows it."""


class Form:
    """The members of one request, read one by one.

    What is read is only to be used after `finish`, which refuses when any member was wrong.
    """

    def __init__(self, members: Members) -> None:
        self._unread = dict(members)
        self._wrong: dict[str, str] = {}

    def required(self, member: str, rule: Rule[T]) -> T:
        """The member by its rule; absent and `null` are wrong."""
        if member not in self._unread:
            self._wrong[member] = "is required"
            return cast("T", None)  # never seen: finish() raises
        return self._apply(member, rule, self._unread.pop(member))

    def optional(self, member: str, rule: Rule[T]) -> T | None:
        """The member by its rule; absent and `null` are `None`."""
        value = self._unread.pop(member, None)
        return None if value is None else self._apply(member, rule, value)

    def sent(self, member: str, rule: Rule[T]) -> T | Omitted:
        """The member by its rule, `null` like any other value; `UNSENT` when it is absent."""
        return self._apply(member, rule, self._unread.pop(member)) if member in self._unread else OMITTED

    def finish(self) -> None:
        """Refuse with every wrong member, those that no rule names among them.

        Raises:
            Invalid: with one reason a member.
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
            return cast("T", None)  # never seen: finish() raises


def or_null(rule: Rule[T]) -> Rule[T | None]:
    """The rule, and `null` besides."""
    return lambda value: None if value is None else rule(value)


def _shown(member: str) -> str:
    """A name that a client made up: not all of it if it is long, nor a key that was put in the wrong place."""
    if API_KEY_PREFIX in member:
        return f"{API_KEY_PREFIX}…"
    return member if len(member) <= NAME_REPEATED_MAX else f"{member[:NAME_REPEATED_MAX]}…"
