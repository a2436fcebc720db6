"""API keys, their permissions, and the callers and workspaces they belong to."""

import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Network, ip_address

from domain.errors import InsufficientPermissions
from domain.ids import API_KEY_PREFIX, ApiKeyId, UserId, WorkspaceId
from domain.members import RuleViolation
from domain.rate_limits import Plan, Tier
from domain.text import line, string

API_KEY_SECRET_LENGTH = 32
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LABEL_MAX = 120

_CHECKSUM_LENGTH = 6
_KEY = re.compile(rf"{API_KEY_PREFIX}[0-9A-Za-z]{{{API_KEY_SECRET_LENGTH + _CHECKSUM_LENGTH}}}", re.ASCII)


class Permission(StrEnum):
    """A permission of an API key, written as `verb:resource`. No permission implies another."""

    READ_DOCUMENTS = "read:documents"
    WRITE_DOCUMENTS = "write:documents"
    ADMIN_DOCUMENTS = "admin:documents"
    ADMIN_API_KEYS = "admin:api_keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The record of an API key. It holds the SHA-256 of the API key as `digest`, never the API key itself."""

    id: ApiKeyId
    workspace_id: WorkspaceId
    user_id: UserId
    name: str
    description: str | None = None
    prefix: str
    digest: bytes
    permissions: frozenset[Permission]
    tier: Tier
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = None

    def is_active(self, at: datetime) -> bool:
        """Return whether the API key is neither revoked nor expired at that time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A tenant. No other tenant can read its documents. `quota_bytes` limits the sum of their stored sizes."""

    id: WorkspaceId
    name: str
    owner_id: UserId
    plan: Plan
    quota_bytes: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The authenticated caller of one request, with the properties of its API key."""

    workspace_id: WorkspaceId
    user_id: UserId
    key_id: ApiKeyId
    permissions: frozenset[Permission]
    tier: Tier
    expires_at: datetime | None
    request_id: str

    def may(self, permission: Permission) -> bool:
        """Return whether the caller's API key has the permission."""
        return permission in self.permissions

    def require(self, *permissions: Permission) -> None:
        """Return without a value if the caller's API key has all the permissions.

        Raises:
            InsufficientPermissions: naming the first permission that is missing.
        """
        for permission in permissions:
            if not self.may(permission):
                raise InsufficientPermissions(permission)


def mint_api_key(secret: str) -> str:
    """Return the API key that contains 32 random base62 characters.

    Its last characters are a checksum of the others. So a typo is detected without a database query, and a scanner for
    leaked secrets can recognise an API key.
    """
    body = API_KEY_PREFIX + secret
    return body + _checksum(body)


def is_wellformed_api_key(text: str) -> bool:
    """Return whether `text` has the form of an API key and the right checksum."""
    return _KEY.fullmatch(text) is not None and _checksum(text[:-_CHECKSUM_LENGTH]) == text[-_CHECKSUM_LENGTH:]


def api_key_digest(key: str) -> bytes:
    """Return the SHA-256 of an API key. Its 190 random bits need neither salt nor key stretching."""
    return hashlib.sha256(key.encode()).digest()


def _checksum(body: str) -> str:
    """Return the CRC-32 of `body` as six base62 digits, most significant first."""
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        rest, digit = divmod(rest, 62)
        digits = BASE62[digit] + digits
    return digits


def label(value: object) -> str:
    """Return the name of an API key or a workspace: 1 to 120 characters, not blank."""
    return line(value, most=LABEL_MAX)


def permissions(value: object) -> frozenset[Permission]:
    """Return the set of permissions. At least one is required, and each must be known."""
    known = {permission.value: permission for permission in Permission}
    if not isinstance(value, list | tuple) or not value or any(text not in known for text in map(string, value)):
        raise RuleViolation("must be one or more of " + ", ".join(known))
    return frozenset(known[text] for text in value)


def in_the_future(at: datetime, value: object) -> datetime:
    """Return the time, which must be later than `at`."""
    if not isinstance(value, datetime) or value <= at:
        raise RuleViolation("must lie in the future")
    return value


def client_network(address: str) -> str:
    """Return the network that one client can be assumed to control: an IPv4 address, or an IPv6 /64.

    A site gets at least a /64 (RFC 6177), so its client can use any of 2^64 addresses. A text that is not an address is
    returned unchanged.
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(IPv6Network((ip, 64), strict=False))
