"""The clock and the randomness of this machine."""

import os
import secrets
import threading
from datetime import UTC, datetime

from domain.access import API_KEY_SECRET_LENGTH, BASE62
from domain.ids import encode_ulid

_RANDOM_BITS = 80


def utc_now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC)


def new_secret() -> str:
    """Return 32 random base62 characters (190 bits) from the system's cryptographic source."""
    return "".join(secrets.choice(BASE62) for _ in range(API_KEY_SECRET_LENGTH))


class Ulids:
    """Creates ULIDs. Each is greater than the one before, even within a millisecond and after the clock steps back.

    Each millisecond gets new random bits, which are incremented within it: https://github.com/ulid/spec#monotonicity
    """

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self, at: datetime) -> str:
        """Return a new ULID for that time."""
        milliseconds = int(at.timestamp() * 1000)
        with self._lock:
            if milliseconds > self._last >> _RANDOM_BITS:
                self._last = milliseconds << _RANDOM_BITS | int.from_bytes(os.urandom(_RANDOM_BITS // 8))
            else:
                self._last += 1
            return encode_ulid(self._last)
