"""Create, list and revoke the API keys of a workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import assert_never

from domain.access import ApiKey, Caller, Permission, api_key_digest, label, mint_api_key, permissions
from domain.documents import description
from domain.errors import DuplicateName, IdempotencyMismatch, Invalid, LastAdminKey, NotFound, TierTooHigh
from domain.ids import ApiKeyId, parse_api_key_id
from domain.members import Form, Members, RuleViolation
from domain.pages import Page, boolean, timestamp
from domain.rate_limits import Tier, tier
from domain.search import SEARCH_MAX
from domain.text import line
from ports.api_keys import (
    AddApiKeyOutcome,
    ApiKeyAdded,
    ApiKeyLookup,
    ApiKeyNameTaken,
    ApiKeyPage,
    ApiKeyReplayed,
    ApiKeyRevoked,
    ApiKeys,
    LastAdminApiKey,
    NoSuchApiKey,
)
from ports.intents import Intent
from ports.outcomes import IdempotencyKeyReused
from ports.system import Clock, NewId, NewSecret, Sealing


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """The record of a new API key, and the API key itself as `secret`. `replayed` if an earlier request created it."""

    key: ApiKey
    secret: str
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateApiKey:
    """Create an API key for the caller's workspace. The response contains it once; it cannot be shown again.

    - Every permission of the new API key must be one that the caller's own API key has. Its tier must not be higher.
    - Two active API keys of a workspace cannot have the same name. A revoked or expired one frees its name.
    - The API key acts as the user of the caller's API key.
    - `expires_at` must lie in the future, and not after the end of the caller's own API key. Without it, the API key
      ends with the caller's, or does not expire if that one does not.
    - With an `Idempotency-Key`, a repeated request within 24 hours creates nothing and returns the first response,
      API key included. For that time the API key is stored encrypted. Only the secret of the deployment and the
      `Idempotency-Key` together decrypt it, and the database has neither.
    """

    keys: ApiKeys
    sealing: Sealing
    now: Clock
    new_id: NewId
    new_secret: NewSecret

    permission = Permission.ADMIN_API_KEYS

    async def __call__(self, caller: Caller, members: Members, idempotency_key: str | None) -> NewApiKey:
        caller.require(self.permission)
        at = self.now()
        secret = mint_api_key(self.new_secret())
        key = self._read(members, caller, secret, at)
        caller.require(*sorted(key.permissions))
        if key.tier.exceeds(caller.tier):
            raise TierTooHigh(caller.tier)
        # The user and the end are the caller's, so that a caller who could not have created this API key does not get
        # it as a replay.
        target = f"{caller.workspace_id} {key.user_id} {key.expires_at}"
        intent = Intent.of("create_api_key", target, members, caller=caller, idempotency_key=idempotency_key)

        outcome: AddApiKeyOutcome | None
        if not key.is_active(at):
            # Do not refuse yet: `expires_at` may have passed since an earlier request, and a retry of that request gets
            # the same response.
            outcome = await self.keys.receipt(intent)
        else:
            sealed = b"" if idempotency_key is None else self.sealing.seal(secret, intent)
            outcome = await self.keys.add(key, intent, sealed)

        match outcome:
            case None:
                raise Invalid({"expires_at": "must lie in the future"})
            case ApiKeyAdded():
                return NewApiKey(key, secret, replayed=False)
            case ApiKeyReplayed(earlier, kept) if idempotency_key is not None:
                return NewApiKey(earlier, self.sealing.unseal(kept, intent), replayed=True)
            case ApiKeyReplayed():
                raise AssertionError("a receipt was found without an idempotency key")
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case ApiKeyNameTaken():
                raise DuplicateName
            case _:
                assert_never(outcome)

    def _read(self, members: Members, caller: Caller, secret: str, at: datetime) -> ApiKey:
        form = Form(members)
        key = ApiKey(
            id=ApiKeyId("key_" + self.new_id(at)),
            workspace_id=caller.workspace_id,
            user_id=caller.user_id,
            name=form.required("name", label),
            description=form.optional("description", description),
            prefix=secret[:8],
            digest=api_key_digest(secret),
            permissions=form.required("permissions", permissions),
            tier=form.optional("rate_limit_tier", tier) or Tier.STANDARD,
            created_at=at,
            expires_at=form.optional("expires_at", partial(_end, caller.expires_at)) or caller.expires_at,
            revoked_at=None,
        )
        form.finish()
        return key


def _end(latest: datetime | None, value: object) -> datetime:
    """Return the time at which an API key expires, `latest` at the latest."""
    end = timestamp(value)
    if latest is not None and end > latest:
        raise RuleViolation(
            f"must not be after {latest:%Y-%m-%dT%H:%M:%SZ}, when your own API key expires; leave it out for that time"
        )
    return end


@dataclass(frozen=True, slots=True)
class ApiKeyListing:
    """One page of API keys, and the number of API keys on all pages."""

    keys: Sequence[ApiKey]
    page: Page
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApiKeys:
    """List the API keys of the caller's workspace, newest first, without the keys themselves.

    Expired API keys are listed. Revoked ones are listed only if `include_revoked` is true.
    """

    keys: ApiKeys

    permission = Permission.ADMIN_API_KEYS

    async def __call__(self, caller: Caller, query: Members) -> ApiKeyListing:
        caller.require(self.permission)
        form = Form(query, "parameter")
        page = Page.read(form)
        include_revoked = form.optional("include_revoked", boolean) or False
        text = form.optional("search", partial(line, least=0, most=SEARCH_MAX)) or ""
        form.finish()
        found: ApiKeyPage = await self.keys.search(caller.workspace_id, text, page, include_revoked=include_revoked)
        return ApiKeyListing(found.keys, page, found.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeApiKey:
    """Revoke an API key. Within a second, every server process refuses it.

    - Revoking an API key again changes nothing and has the same response.
    - The last active API key with `admin:api_keys` cannot be revoked: no other one could replace it.
    - API keys that it created stay active. After a leak, list the newer ones and revoke those that you do not know.
    """

    keys: ApiKeys
    lookup: ApiKeyLookup
    now: Clock

    permission = Permission.ADMIN_API_KEYS

    async def __call__(self, caller: Caller, key: str, idempotency_key: str | None) -> bool:
        """Revoke the API key; return whether an earlier request with this idempotency key revoked it."""
        caller.require(self.permission)
        key_id = parse_api_key_id(key)
        if key_id is None:
            raise NotFound
        intent = Intent.of("revoke_api_key", key_id, {}, caller=caller, idempotency_key=idempotency_key)
        outcome = await self.keys.revoke(caller.workspace_id, key_id, self.now(), intent)
        match outcome:
            case ApiKeyRevoked(replayed):
                self.lookup.forget(caller.workspace_id)
                return replayed
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchApiKey():
                raise NotFound
            case LastAdminApiKey():
                raise LastAdminKey
            case _:
                assert_never(outcome)
