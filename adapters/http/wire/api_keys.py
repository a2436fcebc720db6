"""API keys."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from adapters.http.wire import patterns
from adapters.http.wire.envelope import PageQuery
from adapters.http.wire.members import ApiKeyId, Description, ExpiresAt, Time, seconds
from domain import access
from domain.access import ApiKey, Permission
from domain.pages import PER_PAGE_MAX
from domain.rate_limits import Tier
from domain.search import SEARCH_MAX

KeyName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=access.LABEL_MAX,
        pattern=patterns.NOT_BLANK,
        description="What the API key is for: not blank, and different from the name of every other active API key.",
        examples=["Intake form"],
    ),
]
# The list has no maximum length, because a permission may be repeated.
Granted = Annotated[
    list[Permission],
    Meta(
        min_length=1,
        description="What the API key may do. No permission implies another.",
        examples=[["read:documents"]],
    ),
]
Permissions = Annotated[Granted, Meta(max_length=len(Permission))]
RateLimitTier = Annotated[
    Tier, Meta(description="Which rate limits apply: those of the plan, ten times those, or none.")
]

NameSearch = Annotated[
    str,
    Meta(
        max_length=SEARCH_MAX,
        pattern=patterns.LINE,
        description="Part of the name, in any letter case.",
        examples=["intake"],
    ),
]
Prefix = Annotated[
    str,
    Meta(
        max_length=8,
        pattern=patterns.API_KEY_PREFIX,
        description="The first eight characters of the key, to recognise it.",
        examples=["wbk_4fT9"],
    ),
]
Secret = Annotated[
    str,
    Meta(
        max_length=42,
        pattern=patterns.API_KEY,
        description="The API key itself: send it as `Authorization: Bearer`.",
    ),
]


class CreateApiKeyBody(Struct, forbid_unknown_fields=True):
    """An API key to create."""

    name: KeyName
    permissions: Granted
    description: Description | None = None
    rate_limit_tier: RateLimitTier | None = None
    expires_at: ExpiresAt | None = None


class ListApiKeysQuery(PageQuery):
    include_revoked: Annotated[bool, Meta(description="Whether to list revoked keys too: true, false, 1 or 0.")] = False
    search: NameSearch | UnsetType = UNSET


class ApiKeyCreated(Struct):
    """A new API key. Only this response contains the key itself."""

    id: ApiKeyId
    key: Secret
    prefix: Prefix
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
    """An API key without the key itself."""

    id: ApiKeyId
    prefix: Prefix
    name: KeyName
    description: Description | None
    permissions: Permissions
    rate_limit_tier: RateLimitTier
    expires_at: Time | None
    created_at: Time
    last_used_at: Annotated[Time | None, Meta(description="When the key was last used, to the minute.")]
    revoked_at: Time | None

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyRow":
        return cls(
            **_key_members(key),
            last_used_at=_seconds_or_none(key.last_used_at),
            revoked_at=_seconds_or_none(key.revoked_at),
        )


class ApiKeyList(Struct):
    """API keys, the newest one first."""

    api_keys: Annotated[list[ApiKeyRow], Meta(max_length=PER_PAGE_MAX)]


def _key_members(key: ApiKey) -> dict[str, Any]:
    """Return the members that a new and a listed API key have in common."""
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
