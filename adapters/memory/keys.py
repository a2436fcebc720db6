"""API keys in a dictionary."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.workspaces import MemoryWorkspaces
from domain.access import ApiKey
from domain.ids import KeyId, WorkspaceId
from ports.keys import KeyFound


class MemoryApiKeys:
    """`ApiKeys` in memory."""

    def __init__(self, workspaces: MemoryWorkspaces) -> None:
        self._workspaces = workspaces
        self._by_id: dict[KeyId, ApiKey] = {}

    async def find(self, digest: bytes) -> KeyFound | None:
        key = next((key for key in self._by_id.values() if key.digest == digest), None)
        workspace = await self._workspaces.get(key.workspace_id) if key else None
        return KeyFound(key, workspace.plan) if key and workspace else None

    async def add(self, key: ApiKey) -> None:
        self._by_id[key.id] = key

    async def all(self, workspace: WorkspaceId | None = None) -> Sequence[ApiKey]:
        keys = (key for key in self._by_id.values() if workspace in (None, key.workspace_id))
        return sorted(keys, key=lambda key: key.id)

    async def revoke(self, key: KeyId, at: datetime) -> bool:
        found = self._by_id.get(key)
        if found is None:
            return False
        if found.revoked_at is None:
            self._by_id[key] = replace(found, revoked_at=at)
        return True
