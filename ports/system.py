"""Time, chance, and the one way in which a dependency fails."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""The time now, in UTC, with microseconds."""

NewId = Callable[[datetime], str]
"""A new ULID of that time, greater than every one made before in this process."""

NewSecret = Callable[[], str]
"""32 random base62 characters, from a source fit for secrets."""


class Unavailable(Exception):
    """A dependency is away or too slow: whether what was asked has happened is not known. Ask again later.

    The text is for the operator's log; nothing of it reaches a client.
    """
