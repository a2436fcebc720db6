"""The workspaces in memory."""

from collections.abc import Sequence
from dataclasses import replace

from adapters.memory.receipts import MemoryReceipts
from domain.access import Workspace
from domain.ids import WorkspaceId
from domain.rate_limits import Plan


class MemoryWorkspaces:
    """`Workspaces` in memory."""

    def __init__(self) -> None:
        # Documents and API keys share the receipts, because an idempotency key can be used once among all operations of
        # a workspace.
        self.receipts = MemoryReceipts()
        self.changes = 0
        """How many changes of documents were recorded."""
        self._by_id: dict[WorkspaceId, Workspace] = {}

    async def add(self, workspace: Workspace) -> None:
        self._by_id[workspace.id] = workspace

    async def get(self, workspace: WorkspaceId) -> Workspace | None:
        return self._by_id.get(workspace)

    async def all(self) -> Sequence[Workspace]:
        return sorted(self._by_id.values(), key=lambda workspace: workspace.id)

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
