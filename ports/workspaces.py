"""The storage of workspaces."""

from collections.abc import Sequence
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

    async def all(self) -> Sequence[Workspace]:
        """Return every workspace, oldest first."""
        ...

    async def update(self, workspace: WorkspaceId, plan: Plan | None, quota_bytes: int | None) -> Workspace | None:
        """Change the plan, the quota or both; `None` leaves a value as it is. Return the changed workspace; `None` if
        there is no such workspace.

        The quota may be lower than the current usage. Then no document can be recorded until enough are deleted.
        """
        ...
