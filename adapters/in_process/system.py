"""The machine's clock and its source of chance."""

import os
import secrets
import threading
from datetime import UTC, datetime

from domain.access import API_KEY_SECRET_LENGTH, BASE62
from domain.ids import encode_ulid

_CHANCE_BITS = 80


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def new_secret() -> str:
    """32 base62 characters, 190 bits, from the system's source for secrets."""
    return "".join(secrets.choice(BASE62) for _ in range(API_KEY_SECRET_LENGTH))


class Ulids:
    """ULIDs of this process: each greater than the one before, also within a millisecond or when the clock steps back.

    Chance is drawn anew each millisecond, and counted up within it: https://github.com/ulid/spec#monotonicity
    """

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self, at: datetime) -> str:
        """A new ULID of that time."""
        milliseconds = int(at.timestamp() * 1000)
        with self._lock:
            if milliseconds > self._last >> _CHANCE_BITS:
                self._last = milliseconds << _CHANCE_BITS | int.from_bytes(os.urandom(_CHANCE_BITS // 8))
            else:
                self._last += 1
            return encode_ulid(self._last)
