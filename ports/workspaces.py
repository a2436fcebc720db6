"""The storage of workspaces."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

from domain.access import Workspace
from domain.ids import WorkspaceId
from domain.rate_limits import Plan


class Workspaces(Protocol):
    """The workspaces of a deployment."""

    async def add(self, workspace: Workspace) -> None:
        """Store a new workspace. It uses nothing of its quota."""
        ...

    async def get(self, workspace: WorkspaceId) -> Workspace | None:
        """Return the workspace with that id."""
        ...

    def pages(self) -> AsyncIterator[Sequence[Workspace]]:
        """Yield every workspace, oldest first, in pages of at most 1,000. No page is empty."""
        ...

    async def existing(self, workspaces: Collection[WorkspaceId]) -> Collection[WorkspaceId]:
        """Return those of the ids that are ids of workspaces."""
        ...

    async def recently_used(self, most: int) -> Sequence[WorkspaceId]:
        """Return the workspaces that have API keys, at most `most`: first those whose API keys were used last."""
        ...

    async def update(self, workspace: WorkspaceId, plan: Plan | None, quota_bytes: int | None) -> Workspace | None:
        """Change the plan, the quota or both; `None` leaves a value as it is. Return the changed workspace; `None` if
        there is no such workspace.

        The quota may be lower than the current usage. Then no document can be recorded until enough are deleted.
        """
        ...
