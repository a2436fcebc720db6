"""Time, ids, secrets and encryption, and the exception that reports a failed dependency."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from ports.intents import Intent

Clock = Callable[[], datetime]
"""Returns the current time, in UTC, with microseconds."""

NewId = Callable[[datetime], str]
"""Returns a new ULID for the given time. It is greater than every ULID made before in this process."""

NewSecret = Callable[[], str]
"""Returns 32 random base62 characters, from a cryptographic source."""

Probe = Callable[[], Awaitable[None]]
"""Returns nothing if the dependency works; raises `Unavailable` if it does not."""


class Sealing(Protocol):
    """Authenticated encryption of a text that a receipt holds.

    Only the secret of the deployment and the idempotency key together open it, and only in the receipt it was made for.
    """

    def seal(self, text: str, intent: Intent) -> bytes:
        """Encrypt `text` for the receipt of an intent, which has an idempotency key."""
        ...

    def unseal(self, sealed: bytes, intent: Intent) -> str:
        """Return the text that was sealed for the receipt of a like intent."""
        ...


class Unavailable(Exception):
    """A dependency failed or was too slow.

    It may have performed the call or not. The client may try again. The text is for the operator's log; a client never
    sees it.
    """
