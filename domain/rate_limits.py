"""Rate limits: windows of time, the plan and tier that determine the windows of a request, and the verdict on a
request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.members import RuleViolation
from domain.text import string

HIGH_TIER_FACTOR = 10


class Plan(StrEnum):
    """The plan of a workspace. The rate limits of each plan are a setting of the deployment."""

    STARTER = "starter"
    PRO = "pro"
    ORG = "org"


class Tier(StrEnum):
    """The tier of an API key. It determines whether the plan's limits apply as they are, times ten, or not at all."""

    STANDARD = "standard"
    HIGH = "high"
    UNMETERED = "unmetered"

    def exceeds(self, other: "Tier") -> bool:
        """Return whether this tier permits more requests than the other one."""
        tiers = list(Tier)
        return tiers.index(self) > tiers.index(other)


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` requests in every `seconds`. Windows begin at whole multiples of `seconds` since 1970, in UTC."""

    limit: int
    seconds: int

    def end(self, at: datetime) -> int:
        """Return the end of the window that contains `at`, in Unix seconds."""
        return (int(at.timestamp()) // self.seconds + 1) * self.seconds

    @property
    def unit(self) -> str:
        """The length of the window in words: a minute, a day, or a number of seconds."""
        return _UNITS.get(self.seconds, f"{self.seconds} seconds")


_UNITS = {1: "second", 60: "minute", 3600: "hour", 86_400: "day"}

Plans = Mapping[Plan, tuple[Window, ...]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is admitted, and the state of the window with the fewest requests left.

    `reset` is when that window ends, in Unix seconds. `retry_after` is 0 for an admitted request. For a refused
    request, it is the number of whole seconds, at least 1, after which every window that refused it has ended.
    `refused_by` is the window among these that ends last.
    """

    admitted: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int
    refused_by: Window | None = None

    @classmethod
    def of(cls, windows: Sequence[Window], used: Sequence[int], at: datetime) -> "Verdict":
        """Return the verdict on a request at `at`, when each window had admitted `used` requests before it."""
        now = int(at.timestamp())
        ends = [window.end(at) for window in windows]
        left = [window.limit - count for window, count in zip(windows, used, strict=True)]
        refusing = [i for i, remaining in enumerate(left) if remaining <= 0]
        last = max(refusing, key=lambda i: ends[i], default=None)
        if last is None:
            left = [remaining - 1 for remaining in left]
        # If several windows have equally few requests left, the window that ends last delays the caller longest.
        tightest = min(range(len(windows)), key=lambda i: (left[i], -ends[i]))
        return cls(
            admitted=last is None,
            limit=windows[tightest].limit,
            # If an operator lowers a plan within a window, more may be used than the window now allows.
            remaining=max(0, left[tightest]),
            reset=ends[tightest],
            retry_after=0 if last is None else ends[last] - now,
            refused_by=None if last is None else windows[last],
        )

    @classmethod
    def unmetered(cls, windows: Sequence[Window], at: datetime) -> "Verdict":
        """Return the verdict for a caller without limits: the plan's narrowest window, with nothing used."""
        narrowest = min(windows, key=lambda window: window.limit)
        return cls(
            admitted=True, limit=narrowest.limit, remaining=narrowest.limit, reset=narrowest.end(at), retry_after=0
        )


def tier(value: object) -> Tier:
    """Read the name of a tier."""
    text = string(value)
    if text not in set(Tier):
        raise RuleViolation("must be one of " + ", ".join(Tier))
    return Tier(text)
