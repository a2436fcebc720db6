"""API keys."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from adapters.http.wire.members import SEEN, ApiKeyId, Description, Time, seconds
from domain import access
from domain.access import ApiKey, Permission
from domain.rate_limits import Tier

KeyName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=access.LABEL_MAX,
        pattern=SEEN,
        description="What the key is for: not blank, and no other active key's.",
        examples=["Intake form"],
    ),
]
Permissions = Annotated[
    list[Permission],
    Meta(min_length=1, description="What the key may do; none implies another.", examples=[["read:documents"]]),
]
RateLimitTier = Annotated[
    Tier, Meta(description="How the plan's rate limits apply: as they are, ten times as much, or not at all.")
]


class CreateApiKeyBody(Struct, forbid_unknown_fields=True):
    """An API key to make."""

    name: KeyName
    permissions: Permissions
    description: Description | None = None
    rate_limit_tier: RateLimitTier | None = None
    expires_at: Time | None = None


class ApiKeyCreated(Struct):
    """A new API key, shown this once."""

    id: ApiKeyId
    key: Annotated[str, Meta(description="The key itself: send it as `Authorization: Bearer`.")]
    prefix: Annotated[str, Meta(description="Its first eight characters, to know it again by.", examples=["wbk_4fT9"])]
    name: KeyName
    description: Description | None
    permissions: Permissions
    rate_limit_tier: RateLimitTier
    expires_at: Time | None
    created_at: Time

    @classmethod
    def of(cls, key: ApiKey, secret: str) -> "ApiKeyCreated":
        return cls(key=secret, **_key_members(key))


class ApiKeyRow(Struct):
    """An API key, without the key itself."""

    id: ApiKeyId
    prefix: str
    name: KeyName
    description: Description | None
    permissions: Permissions
    rate_limit_tier: RateLimitTier
    expires_at: Time | None
    created_at: Time
    last_used_at: Annotated[Time | None, Meta(description="When it was last used, to a minute.")]
    revoked_at: Time | None

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyRow":
        return cls(
            **_key_members(key),
            last_used_at=_seconds_or_none(key.last_used_at),
            revoked_at=_seconds_or_none(key.revoked_at),
        )


class ApiKeyList(Struct):
    """API keys, the newest first."""

    api_keys: list[ApiKeyRow]


def _key_members(key: ApiKey) -> dict[str, Any]:
    """What is told of an API key, new or listed."""
    return {
        "id": key.id,
        "prefix": key.prefix,
        "name": key.name,
        "description": key.description,
        "permissions": sorted(key.permissions),
        "rate_limit_tier": key.tier,
        "expires_at": _seconds_or_none(key.expires_at),
        "created_at": seconds(key.created_at),
    }


def _seconds_or_none(at: datetime | None) -> datetime | None:
    return None if at is None else seconds(at)
