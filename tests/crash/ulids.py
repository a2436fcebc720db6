"""Conversion between the ids that clients see and the UUIDs in the database: the same 128 bits."""

from uuid import UUID

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def to_uuid(prefixed: str) -> UUID:
    number = 0
    for character in prefixed.rpartition("_")[2]:
        number = number * 32 + _DIGITS.index(character)
    return UUID(int=number)


def to_prefixed(prefix: str, uuid: UUID) -> str:
    return prefix + "".join(_DIGITS[uuid.int >> shift & 31] for shift in range(125, -1, -5))
