"""The recognition of retries, by the client's idempotency key and the fingerprint of the request.

The header follows draft-ietf-httpapi-idempotency-key-header, but its value must be a UUID (RFC 9562).
"""

import hashlib
import json
import re
from datetime import timedelta

from domain.errors import Invalid
from domain.members import Members

LIFETIME = timedelta(hours=24)
"""The time for which a receipt replays its outcome."""

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_UUID = re.compile(r'("?)([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\1', re.ASCII)


def parse_idempotency_key(sent: str | None) -> str | None:
    """Return the UUID in an Idempotency-Key header, in lower case; `None` without the header. The header may have
    double quotes around the UUID.

    Raises:
        Invalid: the header is not one UUID.
    """
    if sent is None:
        return None
    if not (match := _UUID.fullmatch(sent)):
        raise Invalid({"Idempotency-Key": "must be one UUID, such as 7c9e6679-7425-40de-944b-e07fc1f90ae7"})
    return match[2].lower()


def fingerprint(operation: str, target: str, members: Members) -> bytes:
    """Return 32 bytes that identify a request: its operation, its target and its members in any order.

    The members are hashed as the client sent them, not as they were read. So if a later version reads them differently,
    it still recognises a retry. A test pins the values, because receipts of an earlier version are compared with them.
    """
    return hashlib.sha256(_CANONICAL.encode([operation, target, members]).encode()).digest()
