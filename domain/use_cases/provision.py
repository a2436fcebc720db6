"""The operations of the command line: create and change workspaces, and create their API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import assert_never

from domain.access import ApiKey, Workspace, api_key_digest, in_the_future, label, mint_api_key, permissions
from domain.documents import size_bytes
from domain.errors import DuplicateName, Invalid
from domain.ids import ApiKeyId, UserId, WorkspaceId, parse_user_id, parse_workspace_id
from domain.members import Form, RuleViolation
from domain.rate_limits import Plan, Tier
from ports.api_keys import ApiKeyAdded, ApiKeyNameTaken, ApiKeyReplayed, ApiKeys
from ports.outcomes import IdempotencyKeyReused
from ports.system import Clock, NewId, NewSecret
from ports.workspaces import Workspaces


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWorkspace:
    """Create a workspace, and with it the user who owns it."""

    workspaces: Workspaces
    now: Clock
    new_id: NewId

    async def __call__(self, name: str, plan: Plan, quota_bytes: int) -> Workspace:
        form = Form({"name": name, "quota": quota_bytes})
        at = self.now()
        workspace = Workspace(
            id=WorkspaceId("ws_" + self.new_id(at)),
            name=form.required("name", label),
            owner_id=UserId("usr_" + self.new_id(at)),
            plan=plan,
            quota_bytes=form.required("quota", size_bytes),
            created_at=at,
        )
        form.finish()
        await self.workspaces.add(workspace)
        return workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateWorkspace:
    """Change the plan, the quota in bytes, or both. `None` leaves a value as it is."""

    workspaces: Workspaces

    async def __call__(self, workspace: str, *, plan: Plan | None, quota_bytes: int | None) -> Workspace:
        form = Form({"quota": quota_bytes})
        quota = form.optional("quota", size_bytes)
        form.finish()
        id_ = parse_workspace_id(workspace)
        changed = await self.workspaces.update(id_, plan, quota) if id_ else None
        if changed is None:
            raise Invalid({"workspace": "is not the id of a workspace; list them with 'dossier workspace list'"})
        return changed


@dataclass(frozen=True, slots=True)
class MintedApiKey:
    """The record of a new API key, and the API key itself as `secret`, which cannot be shown again."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MintApiKey:
    """Create an API key of a workspace. Unless a user is given, it acts as the workspace's owner."""

    workspaces: Workspaces
    keys: ApiKeys
    now: Clock
    new_id: NewId
    new_secret: NewSecret

    async def __call__(
        self,
        *,
        workspace: str,
        name: str,
        granted: Sequence[str],
        user: str | None = None,
        tier: Tier = Tier.STANDARD,
        expires_at: datetime | None = None,
    ) -> MintedApiKey:
        id_ = parse_workspace_id(workspace)
        home = await self.workspaces.get(id_) if id_ else None
        if home is None:
            raise Invalid({"workspace": "is not the id of a workspace; list them with 'dossier workspace list'"})
        at = self.now()
        secret = mint_api_key(self.new_secret())
        owner = home.owner_id if user is None else user
        form = Form({"name": name, "permission": granted, "user": owner, "expires_at": expires_at})
        key = ApiKey(
            id=ApiKeyId("key_" + self.new_id(at)),
            workspace_id=home.id,
            user_id=form.required("user", _user),
            name=form.required("name", label),
            prefix=secret[:8],
            digest=api_key_digest(secret),
            permissions=form.required("permission", permissions),
            tier=tier,
            created_at=at,
            expires_at=form.optional("expires_at", partial(in_the_future, at)),
            revoked_at=None,
        )
        form.finish()
        outcome = await self.keys.add(key)
        match outcome:
            case ApiKeyAdded():
                return MintedApiKey(key, secret)
            case ApiKeyNameTaken():
                raise DuplicateName
            case ApiKeyReplayed() | IdempotencyKeyReused():
                raise AssertionError("an operator passes no intent, so there is no receipt")
            case _:
                assert_never(outcome)


def _user(value: object) -> UserId:
    user = parse_user_id(str(value))
    if user is None:
        raise RuleViolation("must be a user id, usr_ and 26 characters")
    return user
