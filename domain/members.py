"""Read the members of a request, each by its rule, and report every invalid or unknown member, not only the first.

A rule accepts any JSON value. It returns the normalised value or raises `RuleViolation` with the reason.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TypeVar, cast, overload

from domain.errors import Invalid
from domain.ids import API_KEY_PREFIX

Members = Mapping[str, object]
"""A JSON object as the client sent it: str, int, float, bool, None, lists and dicts."""

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
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
            self._wrong[member] = "is required"
            return cast("T", None)  # never used, because finish() raises
        return self._apply(member, rule, self._unread.pop(member))

    def optional(self, member: str, rule: Rule[T]) -> T | None:
        """Read a member that may be absent. Absent and `null` are both `None`."""
        self._known.append(member)
        value = self._unread.pop(member, None)
        return None if value is None else self._apply(member, rule, value)

    def sent(self, member: str, rule: Rule[T]) -> T | Omitted:
        """Read a member of a partial change. Absent is `OMITTED`; `null` is passed to the rule."""
        self._known.append(member)
        return self._apply(member, rule, self._unread.pop(member)) if member in self._unread else OMITTED

    def finish(self) -> None:
        """Return without a value if every member was valid and was read.

        Raises:
            Invalid: with a reason for each invalid and each unknown member.
        """
        for number, member in enumerate(self._unread):
            # To find the member that was meant takes 0.1 ms, and a body can have thousands of unknown members.
            remedy = _remedy(member, self._known) if number < SUGGESTIONS_MAX else "leave it out"
            self._wrong[shown(member)] = f"is not a {self._kind} of this request; {remedy}"
        if self._wrong:
            raise Invalid(self._wrong)

    def _apply(self, member: str, rule: Rule[T], value: object) -> T:
        try:
            return rule(value)
        except RuleViolation as wrong:
            self._wrong[member] = str(wrong)
            return cast("T", None)  # never used, because finish() raises


@overload
def read_together(first: Callable[[], T], second: Callable[[], U], /) -> tuple[T, U]: ...


@overload
def read_together(first: Callable[[], T], second: Callable[[], U], third: Callable[[], V], /) -> tuple[T, U, V]: ...


def read_together(*readers: Callable[[], object]) -> tuple[object, ...]:
    """Return the results of all readers.

    Raises:
        Invalid: a reader raised it. The one error has the fields of every reader that raised it.
    """
    wrong: dict[str, str] = {}
    results: list[object] = []
    for read in readers:
        try:
            results.append(read())
        except Invalid as invalid:
            wrong |= invalid.fields
    if wrong:
        raise Invalid(wrong)
    return tuple(results)


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
