"""Who may call: API keys, permissions, and the plan that bounds how often."""

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
from domain.text import clean_text, not_blank, string

API_KEY_SECRET_LENGTH = 32
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LABEL_MAX = 120

_CHECKSUM_LENGTH = 6
_KEY = re.compile(rf"{API_KEY_PREFIX}[0-9A-Za-z]{{{API_KEY_SECRET_LENGTH + _CHECKSUM_LENGTH}}}", re.ASCII)


class Permission(StrEnum):
    """`verb:resource`. None implies another."""

    READ_DOCUMENTS = "read:documents"
    WRITE_DOCUMENTS = "write:documents"
    ADMIN_DOCUMENTS = "admin:documents"
    ADMIN_API_KEYS = "admin:api_keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key as it is kept: never the key itself, only the SHA-256 it is found by."""

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
        """Whether the key opens anything at that time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A tenant: nothing it owns is visible to another. `quota_bytes` bounds the sum of its stored sizes."""

    id: WorkspaceId
    name: str
    owner_id: UserId
    plan: Plan
    quota_bytes: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who speaks in a request, and in which."""

    workspace_id: WorkspaceId
    user_id: UserId
    key_id: ApiKeyId
    permissions: frozenset[Permission]
    request_id: str

    def require(self, *permissions: Permission) -> None:
        """Refuse unless the key has the permissions.

        Raises:
            InsufficientPermissions: naming the first that it lacks.
        """
        for permission in permissions:
            if permission not in self.permissions:
                raise InsufficientPermissions(permission)


def mint_api_key(secret: str) -> str:
    """The key around 32 random base62 characters.

    It ends in a checksum of what precedes, so that a typo is told from a key without asking any database, and a
    scanner for leaked secrets knows one when it sees one.
    """
    body = API_KEY_PREFIX + secret
    return body + _checksum(body)


def is_wellformed_api_key(text: str) -> bool:
    """Whether `text` can be a key at all: its form and its checksum are right."""
    return _KEY.fullmatch(text) is not None and _checksum(text[:-_CHECKSUM_LENGTH]) == text[-_CHECKSUM_LENGTH:]


def api_key_digest(key: str) -> bytes:
    """What is kept of a key. Its 190 random bits need neither salt nor stretching."""
    return hashlib.sha256(key.encode()).digest()


def _checksum(body: str) -> str:
    """CRC-32 in six base62 digits, most significant first."""
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        rest, digit = divmod(rest, 62)
        digits = BASE62[digit] + digits
    return digits


def label(value: object) -> str:
    """The name of a key or a workspace."""
    return not_blank(clean_text(value, most=LABEL_MAX))


def permissions(value: object) -> frozenset[Permission]:
    """At least one permission, each a known one."""
    known = {permission.value: permission for permission in Permission}
    if not isinstance(value, list | tuple) or not value or any(text not in known for text in map(string, value)):
        raise RuleViolation("must be one or more of " + ", ".join(known))
    return frozenset(known[text] for text in value)


def in_the_future(at: datetime, value: object) -> datetime:
    """A time after `at`."""
    if not isinstance(value, datetime) or value <= at:
        raise RuleViolation("must lie in the future")
    return value


def client_network(address: str) -> str:
    """Whose address that is, as far as addresses tell: an IPv6 one is any of the 2^64 that its holder may take.

    RFC 6177: a site gets a /64 at the least. What is no address stands for itself.
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
