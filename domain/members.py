"""Read the members of a request, each by its rule, and report every invalid or unknown member, not only the first.

A rule accepts any JSON value. It returns the normalised value or raises `RuleViolation` with the reason.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TypeVar, cast

from domain.errors import Invalid
from domain.ids import API_KEY_PREFIX

Members = Mapping[str, object]
"""A JSON object as the client sent it: str, int, float, bool, None, lists and dicts.

A value may also be a `RuleViolation`: then something of that name was found wrong before any rule read it, such as a
header or a parameter that was sent twice. A form reports it together with everything that its rules refuse.
"""

T = TypeVar("T")
Rule = Callable[[object], T]


class RuleViolation(ValueError):
    """A value breaks a rule. The text completes a sentence that begins with the member's name."""


class Omitted(Enum):
    """Marks a member that was omitted, as opposed to `null`."""

    OMITTED = "omitted"


OMITTED = Omitted.OMITTED

SUGGESTIONS_MAX = 10
"""The number of unknown members for which the error suggests the member that was probably meant."""

NAME_REPEATED_MAX = 64
"""The number of characters of an unknown member's name that the error repeats."""


class Form:
    """The members of one request, read one by one.

    The values must be used only after `finish`, which raises if any member was invalid.
    """

    def __init__(self, members: Members, kind: str = "member") -> None:
        """`kind` is the word for a member in the error about an unknown one: "member" or "parameter"."""
        self._unread = dict(members)
        self._kind = kind
        self._known: list[str] = []
        self._wrong: dict[str, str] = {}

    def required(self, member: str, rule: Rule[T]) -> T:
        """Read a member that must be present and must not be `null`."""
        self._known.append(member)
        if member not in self._unread:
            self.refuse(member, "is required")
            return cast("T", None)  # never used, because finish() raises
        return self.apply(member, rule, self._unread.pop(member))

    def optional(self, member: str, rule: Rule[T]) -> T | None:
        """Read a member that may be absent. Absent and `null` are both `None`."""
        self._known.append(member)
        value = self._unread.pop(member, None)
        return None if value is None else self.apply(member, rule, value)

    def sent(self, member: str, rule: Rule[T]) -> T | Omitted:
        """Read a member of a partial change. Absent is `OMITTED`; `null` is passed to the rule."""
        self._known.append(member)
        return self.apply(member, rule, self._unread.pop(member)) if member in self._unread else OMITTED

    def apply(self, name: str, rule: Rule[T], value: object) -> T:
        """Read a value that is no member of the form, such as a part of the path."""
        try:
            if isinstance(value, RuleViolation):
                raise value
            return rule(value)
        except RuleViolation as wrong:
            self.refuse(name, str(wrong))
            return cast("T", None)  # never used, because finish() raises

    def refuse(self, name: str, reason: str) -> None:
        """Report a member that its rule accepts, but that contradicts another one."""
        self._wrong[name] = reason

    def finish(self) -> None:
        """Return without a value if every member was valid and was read.

        Raises:
            Invalid: with a reason for each invalid and each unknown member.
        """
        for number, (member, value) in enumerate(self._unread.items()):
            self.refuse(
                shown(member), str(value) if isinstance(value, RuleViolation) else self._unknown(member, number)
            )
        if self._wrong:
            raise Invalid(self._wrong)

    def _unknown(self, member: str, number: int) -> str:
        # To find the member that was meant takes 0.1 ms, and a body can have thousands of unknown members.
        remedy = _remedy(member, self._known) if number < SUGGESTIONS_MAX else "leave it out"
        return f"is not a {self._kind} of this request; {remedy}"


def or_null(rule: Rule[T]) -> Rule[T | None]:
    """Return a rule that accepts `null` and otherwise applies `rule`."""
    return lambda value: None if value is None else rule(value)


_LISTS = frozenset(("tag",))
"""The query parameters that may be repeated."""

_SYNONYMS: Mapping[str, str] = {
    **dict.fromkeys(("limit", "page_size", "pagesize", "size", "count"), "per_page"),
    **dict.fromkeys(("q", "query", "text"), "search"),
    **dict.fromkeys(("filename", "file_name", "title"), "name"),
    **dict.fromkeys(("content_type", "contenttype", "type"), "mime_type"),
    **dict.fromkeys(("after", "since", "from"), "created_after"),
    **dict.fromkeys(("before", "until", "to"), "created_before"),
    **dict.fromkeys(("parent", "path", "prefix", "directory"), "folder"),
    **dict.fromkeys(("next_cursor", "page_token"), "cursor"),
}
"""Names that other APIs use for the same member, by our name."""


def _remedy(unknown: str, known: Sequence[str]) -> str:
    """Return a hint for the error about an unknown name: the known name that was probably meant."""
    name = unknown.lower().replace("-", "_")
    if name.endswith("]") and (repeated := name.partition("[")[0]) in known:
        return f"repeat {repeated!r} to send several" if repeated in _LISTS else f"did you mean {repeated!r}?"
    meant = [_SYNONYMS[name]] if _SYNONYMS.get(name) in known else difflib.get_close_matches(name[:64], known, 1, 0.75)
    return f"did you mean {meant[0]!r}?" if meant else "leave it out"


def shown(member: str) -> str:
    """Return a member's name for an error: shortened if long, and without an API key sent in the wrong place."""
    if API_KEY_PREFIX in member:
        return f"{API_KEY_PREFIX}…"
    return member if len(member) <= NAME_REPEATED_MAX else f"{member[:NAME_REPEATED_MAX]}…"
