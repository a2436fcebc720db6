"""The workspaces in memory."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.receipts import MemoryReceipts
from domain.access import Workspace
from domain.ids import WorkspaceId
from domain.rate_limits import Plan

PAGE = 1000


class MemoryWorkspaces:
    """`Workspaces` in memory."""

    def __init__(self) -> None:
        # Documents and API keys share the receipts, because an idempotency key can be used once among all operations of
        # a workspace.
        self.receipts = MemoryReceipts()
        self.changes = 0
        """How many changes of documents were recorded."""
        self.used_at: dict[WorkspaceId, datetime | None] = {}
        """When an API key of each workspace that has one was last used."""
        self._by_id: dict[WorkspaceId, Workspace] = {}

    async def add(self, workspace: Workspace) -> None:
        self._by_id[workspace.id] = workspace

    async def get(self, workspace: WorkspaceId) -> Workspace | None:
        return self._by_id.get(workspace)

    async def pages(self) -> AsyncIterator[Sequence[Workspace]]:
        found = sorted(self._by_id.values(), key=lambda workspace: workspace.id)
        for start in range(0, len(found), PAGE):
            yield found[start : start + PAGE]

    async def existing(self, workspaces: Collection[WorkspaceId]) -> Collection[WorkspaceId]:
        return self._by_id.keys() & set(workspaces)

    async def recently_used(self, most: int) -> Sequence[WorkspaceId]:
        used = {workspace: at for workspace, at in self.used_at.items() if at is not None}
        ordered = sorted(used, key=lambda workspace: used[workspace], reverse=True)
        return [*ordered, *(self.used_at.keys() - used)][:most]

    async def update(self, workspace: WorkspaceId, plan: Plan | None, quota_bytes: int | None) -> Workspace | None:
        found = self._by_id.get(workspace)
        if found is None:
            return None
        changed = replace(
            found,
            plan=found.plan if plan is None else plan,
            quota_bytes=found.quota_bytes if quota_bytes is None else quota_bytes,
        )
        self._by_id[workspace] = changed
        return changed
