"""Knowing a retry again: the Idempotency-Key a client chose, and the fingerprint of what it asked.

The header follows draft-ietf-httpapi-idempotency-key-header, its value narrowed to a UUID (RFC 9562).
"""

import hashlib
import json
import re
from datetime import timedelta

from domain.members import Members, RuleViolation

LIFETIME = timedelta(hours=24)

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_UUID = re.compile(r'("?)([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\1', re.ASCII)


def idempotency_key(value: str) -> str:
    """The UUID of an Idempotency-Key, bare or in double quotes: lower case comes out."""
    if not (match := _UUID.fullmatch(value)):
        raise RuleViolation("must be one UUID, such as 7c9e6679-7425-40de-944b-e07fc1f90ae7")
    return match[2].lower()


def fingerprint(operation: str, target: str, members: Members) -> bytes:
    """32 bytes that are equal for equal requests: the operation, its target, and the members as they were sent.

    As sent, not as read: a later version that reads the same members otherwise still knows the retry. The order of
    members does not matter. Pinned by a test: receipts of the version before are compared with it.
    """
    return hashlib.sha256(_CANONICAL.encode([operation, target, members]).encode()).digest()
