"""The API keys in memory."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.memory.receipts import Receipt
from adapters.memory.workspaces import MemoryWorkspaces
from domain.access import ApiKey, Permission
from domain.ids import ApiKeyId, WorkspaceId
from domain.pages import Page
from domain.text import fold
from ports.api_keys import (
    AddApiKeyOutcome,
    ApiKeyAdded,
    ApiKeyFound,
    ApiKeyNameTaken,
    ApiKeyPage,
    ApiKeyReplayed,
    ApiKeyRevoked,
    ApiKeyUse,
    LastAdminApiKey,
    NoSuchApiKey,
    RevokeApiKeyOutcome,
)
from ports.intents import Intent
from ports.outcomes import IdempotencyKeyReused
from ports.system import Clock

PAGE = 1000


class MemoryApiKeys:
    """`ApiKeys`, `ApiKeyLookup` and `ApiKeyUses` in memory."""

    def __init__(self, workspaces: MemoryWorkspaces, now: Clock) -> None:
        self._workspaces = workspaces
        self._now = now
        self._by_id: dict[ApiKeyId, ApiKey] = {}

    def known(self, digest: bytes) -> ApiKeyFound | None:  # noqa: ARG002  a look-up costs nothing
        return None

    async def look_up(self, digest: bytes, *, patient: bool = False) -> ApiKeyFound | None:  # noqa: ARG002
        found = await self.find([digest])
        return found[0] if found else None

    def forget(self, workspace: WorkspaceId) -> None:
        """Do nothing: every look-up reads the stored value."""

    async def find(self, digests: Sequence[bytes]) -> Sequence[ApiKeyFound]:
        return [
            ApiKeyFound(key, workspace.plan)
            for key in self._by_id.values()
            if key.digest in digests and (workspace := await self._workspaces.get(key.workspace_id))
        ]

    async def add(self, key: ApiKey, intent: Intent | None = None, sealed: bytes = b"") -> AddApiKeyOutcome:
        at = key.created_at
        # An earlier attempt of the same call, whose outcome was lost, is not a replay.
        if key.id in self._by_id:
            return ApiKeyAdded()
        if (replayed := self._replayed(intent, at)) is not None:
            return replayed
        if any(other.name == key.name and other.is_active(at) for other in self._of(key.workspace_id)):
            return ApiKeyNameTaken()
        self._by_id[key.id] = key
        self._workspaces.used_at.setdefault(key.workspace_id, None)
        self._workspaces.receipts.keep(intent, (key, sealed), at)
        return ApiKeyAdded()

    async def receipt(self, intent: Intent) -> ApiKeyReplayed | IdempotencyKeyReused | None:
        return self._replayed(intent, self._now())

    async def revoke(
        self, workspace: WorkspaceId, key: ApiKeyId, at: datetime, intent: Intent | None
    ) -> RevokeApiKeyOutcome:
        match self._workspaces.receipts.find(intent, at):
            case Receipt():
                return ApiKeyRevoked(replayed=True)
            case IdempotencyKeyReused() as reused:
                return reused
        found = self._by_id.get(key)
        if found is None or found.workspace_id != workspace:
            return NoSuchApiKey()
        if found.revoked_at is None:
            if intent is not None and self._is_last_admin(found, at):
                return LastAdminApiKey()
            self._by_id[key] = replace(found, revoked_at=at)
        self._workspaces.receipts.keep(intent, key, at)
        return ApiKeyRevoked()

    async def get(self, key: ApiKeyId) -> ApiKey | None:
        return self._by_id.get(key)

    async def all(self, workspace: WorkspaceId) -> Sequence[ApiKey]:
        return sorted(self._of(workspace), key=lambda key: key.id)

    async def pages(self) -> AsyncIterator[Sequence[ApiKey]]:
        found = sorted(self._by_id.values(), key=lambda key: (key.workspace_id, key.id))
        for start in range(0, len(found), PAGE):
            yield found[start : start + PAGE]

    async def search(self, workspace: WorkspaceId, text: str, page: Page, *, include_revoked: bool) -> ApiKeyPage:
        folded = fold(text)
        found = [
            key
            for key in reversed(await self.all(workspace))
            if folded in fold(key.name) and (include_revoked or key.revoked_at is None)
        ]
        return ApiKeyPage(found[page.offset : page.offset + page.size], len(found))

    def note(self, key: ApiKeyId, workspace: WorkspaceId, at: datetime) -> None:
        """Store a use at once, because a write to memory costs nothing."""
        self._record_use(ApiKeyUse(workspace, key, at))

    async def record_uses(self, uses: Sequence[ApiKeyUse]) -> None:
        for use in uses:
            self._record_use(use)

    def _record_use(self, use: ApiKeyUse) -> None:
        key = self._by_id.get(use.key_id)
        if key is None or key.workspace_id != use.workspace_id:
            return
        if key.last_used_at is None or use.at - key.last_used_at >= timedelta(minutes=1):
            self._by_id[use.key_id] = replace(key, last_used_at=use.at)
            self._workspaces.used_at[use.workspace_id] = use.at

    def _replayed(self, intent: Intent | None, at: datetime) -> ApiKeyReplayed | IdempotencyKeyReused | None:
        match self._workspaces.receipts.find(intent, at):
            case Receipt(outcome=(ApiKey() as added, bytes() as sealed)):
                return ApiKeyReplayed(added, sealed)
            case IdempotencyKeyReused() as reused:
                return reused
            case _:
                return None

    def _of(self, workspace: WorkspaceId) -> Sequence[ApiKey]:
        return [key for key in self._by_id.values() if key.workspace_id == workspace]

    def _is_last_admin(self, key: ApiKey, at: datetime) -> bool:
        admins = [
            other.id
            for other in self._of(key.workspace_id)
            if Permission.ADMIN_API_KEYS in other.permissions and other.is_active(at)
        ]
        return admins == [key.id]
