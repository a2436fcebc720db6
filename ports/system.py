"""Time, chance, secrecy, and the one way in which a dependency fails."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

Clock = Callable[[], datetime]
"""The time now, in UTC, with microseconds."""

NewId = Callable[[datetime], str]
"""A new ULID of that time, greater than every one made before in this process."""

NewSecret = Callable[[], str]
"""32 random base62 characters, from a source fit for secrets."""

Probe = Callable[[], Awaitable[None]]
"""Return if the dependency works; raise `Unavailable` if it does not."""


class Sealing(Protocol):
    """Keeping a text so that only whoever knows another text can read it (authenticated encryption)."""

    def seal(self, text: str, under: str) -> bytes:
        """The text, encrypted under a key derived from `under`, which must be hard to guess: a random UUID is."""
        ...

    def unseal(self, sealed: bytes, under: str) -> str:
        """The text that was sealed under the same `under`."""
        ...


class Unavailable(Exception):
    """A dependency is away or too slow: whether what was asked has happened is not known. Ask again later.

    The text is for the operator's log; nothing of it reaches a client.
    """
