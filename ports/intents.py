"""What a caller wants changed, and how it is known when it is asked for again."""

from dataclasses import dataclass

from domain.access import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a caller wants done, and how to know it again.

    `key` is the Idempotency-Key, if any: a UUID in lower case. `fingerprint` is 32 bytes that name the operation, its
    target and the members as they were sent.
    """

    operation: str
    caller: Caller
    key: str | None
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The Idempotency-Key belongs to another intent."""
